/**
 * Native code: Holdfast's own library through its C interface, and the natives of other projects that lie in jars.
 *
 * <p>Flows in: buffers, addresses and numbers. Flows out: results in their memory, paths of libraries, facts about the machine. The only package that sees
 * JavaCPP. Imports nothing of Holdfast but its exceptions.
 */
package dev.holdfast.natives;
