/**
 * The commands: each parses its flags, calls the library and prints what came back.
 *
 * <p>Flows in: arguments and signals. Flows out: results on standard output, progress and messages on standard error, an exit code. The
 * only package that ends the process or writes to the console; nobody imports it.
 */
package dev.holdfast.cli;
