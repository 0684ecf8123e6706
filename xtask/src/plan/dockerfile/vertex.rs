//! From the name of a step in BuildKit's progress back to the lines of the Dockerfile.
