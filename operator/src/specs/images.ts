/** The images that pods run where the resource names none: the operator's own settings. */
export type Images = {
  workers: string;
  spark: string;
  postgres: string;
  cassandra: string;
  registry: string;
};

/** What a builder needs beside the pipeline. */
export type BuildContext = {
  images: Images;
  /**
   * A hash of the data of each Secret in `secretsOf(pipeline)`, by its name (`hashSecret`): pods are rolled when a Secret
   * that they read changes.
   */
  secretHashes?: Record<string, string>;
};
