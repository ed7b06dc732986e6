package dev.sotto.store

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.filterIsInstance
import kotlinx.coroutines.flow.first
import java.io.File

/** How far an installation has come. */
public sealed interface InstallState {
    /**
     * Bytes are received.
     *
     * @property done the bytes that are there.
     * @property total all bytes.
     */
    public class Downloading(public val done: Long, public val total: Long) : InstallState

    /**
     * Bytes are read again, and compared with the SHA-256.
     *
     * @property done the bytes read.
     * @property total all bytes.
     */
    public class Verifying(public val done: Long, public val total: Long) : InstallState

    /**
     * The model is there: the last state.
     *
     * @property file the model's file.
     * @property fetched whether it was downloaded now. If not, it was there, and is as it should be.
     */
    public class Installed(public val file: File, public val fetched: Boolean) : InstallState
}

/** Installs, and waits for the model's file. */
public suspend fun Flow<InstallState>.awaitFile(): File = filterIsInstance<InstallState.Installed>().first().file

/**
 * A model in a store.
 *
 * @property file its file.
 * @property url its address, without a query.
 * @property sha256 its SHA-256, in hexadecimal digits.
 * @property bytes its size.
 * @property license what the source said of its licence.
 */
public class InstalledModel(
    public val file: File,
    public val url: String,
    public val sha256: String,
    public val bytes: Long,
    public val license: String?,
)
