/** What is wrong with a source or with what is installed, for people. */
export class BuildError extends Error {
  name = "BuildError";
}
