pluginManagement {
    repositories {
        google()
        mavenCentral()
        gradlePluginPortal()
    }
}

dependencyResolutionManagement {
    repositories {
        google()
        mavenCentral()
        // What `cargo xtask android` makes.
        maven(uri("../../target/android/repository")) { content { includeGroup("dev.sotto") } }
    }
}

rootProject.name = "sotto-sample"
