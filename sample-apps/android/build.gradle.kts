plugins {
    id("com.android.application") version "8.13.0"
    id("org.jetbrains.kotlin.android") version "2.3.21"
    id("org.jetbrains.kotlin.plugin.serialization") version "2.3.21"
}

android {
    namespace = "dev.sotto.sample"
    compileSdk = 36

    defaultConfig {
        applicationId = "dev.sotto.sample"
        minSdk = 26
        targetSdk = 36
        versionCode = 1
        versionName = "0.1.0"
        ndk { abiFilters += listOf("arm64-v8a", "x86_64") }
    }
    sourceSets["main"].assets.srcDir("../demo-model")
    androidResources {
        noCompress += "gguf"
        // Of that folder, the model alone is for phones.
        ignoreAssetsPattern = "!*.md:!*.jsonl:!*.swift"
    }
    testOptions.unitTests {
        isIncludeAndroidResources = true
        all {
            // `cargo build --workspace` makes the library for this machine.
            it.systemProperty("jna.library.path", file("../../target/debug").path)
            // Robolectric's ParcelFileDescriptor looks into Java's for its number.
            it.jvmArgs("--add-opens=java.base/java.io=ALL-UNNAMED")
        }
    }
    buildTypes {
        release {
            // The SDK brings the rules that it needs.
            isMinifyEnabled = true
            isShrinkResources = true
            proguardFiles(getDefaultProguardFile("proguard-android-optimize.txt"))
            signingConfig = signingConfigs["debug"]
        }
    }
}

kotlin { jvmToolchain(17) }

dependencies {
    implementation("dev.sotto:sotto-android:0.1.0")

    testImplementation("org.jetbrains.kotlin:kotlin-test-junit:2.3.21")
    testImplementation("org.jetbrains.kotlinx:kotlinx-coroutines-test:1.11.0")
    testImplementation("org.robolectric:robolectric:4.16.1")
    testRuntimeOnly("net.java.dev.jna:jna:5.19.1")
}
