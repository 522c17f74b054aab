import { shownUrl } from './connection-config.js';
import { DatabaseServer } from './database-server.js';

/** A server that somebody else runs. */
export class ConfiguredServer extends DatabaseServer {
  readonly description: string;

  constructor(private readonly configuredUrl: string) {
    super();
    this.description = shownUrl(configuredUrl);
  }

  url(): Promise<string> {
    return Promise.resolve(this.configuredUrl);
  }

  release(): Promise<void> {
    return Promise.resolve();
  }
}
