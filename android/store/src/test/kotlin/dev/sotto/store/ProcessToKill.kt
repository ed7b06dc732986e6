package dev.sotto.store

import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.runBlocking
import java.io.File

/** Installs a model: folder, address, SHA-256, size. */
fun main(arguments: Array<String>) {
    val (folder, url, sha256, bytes) = arguments
    val store = ModelStore(File(folder), TestConditions(), IMPATIENT)
    runBlocking { store.install(ModelSource(url, sha256, bytes.toLong())).collect() }
}
