package dev.holdfast.data;

/** A piece of a row's text that is either context or response. */
record Segment(String text, boolean response) {}
