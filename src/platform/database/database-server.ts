/** The PostgreSQL server behind everything: one that was configured, or the embedded one. */
export abstract class DatabaseServer {
  /** The URL once the server is there; the embedded server is started for it. Rejects when that fails for now. */
  abstract url(): Promise<string>;
  /** This process needs it no more. */
  abstract release(): Promise<void>;
  /** For messages: what and where it is, without secrets. */
  abstract readonly description: string;
}
