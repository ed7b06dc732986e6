package dev.sotto

/**
 * A class whose instances are equal if their properties are. The compiler plugin Poko gives it `equals`, `hashCode` and
 * `toString`, but not a data class's `copy` and `componentN`, which break apps when a property is added.
 */
@Target(AnnotationTarget.CLASS)
@Retention(AnnotationRetention.SOURCE)
internal annotation class ByValue
