import { Global, Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { Settings } from '../config/settings.js';
import { ConfiguredServer } from './configured-server.js';
import { connectWithRetry, type Patience } from './connect-with-retry.js';
import { dataSourceOptions, withUrl } from './data-source-options.js';
import { Database } from './database.js';
import { DatabaseMetrics } from './database-metrics.js';
import { DatabaseServer } from './database-server.js';
import { EmbeddedServer } from './embedded/embedded-server.js';
import { migrate } from './migrate.js';

const DATABASE_NAME = 'photosafe';

/** Gives every module the {@link Database}; the start waits until it is there and migrated. Needs SettingsModule. */
@Global()
@Module({})
export class DatabaseModule implements OnApplicationShutdown {
  constructor(
    @Inject(DataSource) private readonly dataSource: DataSource,
    private readonly server: DatabaseServer,
  ) {}

  static forRoot(patience: Patience = {}): DynamicModule {
    return {
      module: DatabaseModule,
      imports: [
        TypeOrmModule.forRootAsync({
          imports: [DatabaseServerModule],
          inject: [Settings, DatabaseServer],
          useFactory: (settings: Settings, server: DatabaseServer) => ({
            ...dataSourceOptions(settings),
            autoLoadEntities: true,
            retryAttempts: 0, // connectWithRetry does better
            photosafe: { settings, server, patience },
          }),
          dataSourceFactory: (options) => connect(options as DataSourceOptions & { photosafe: Start }),
        }),
        DatabaseServerModule,
      ],
      providers: [Database, DatabaseMetrics],
      exports: [Database, DatabaseServerModule],
    };
  }

  /** After everything else has shut down: global modules come last. */
  async onApplicationShutdown(): Promise<void> {
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
    await this.server.release();
  }
}

@Module({
  providers: [
    { provide: DatabaseServer, inject: [Settings], useFactory: (settings: Settings) => databaseServer(settings) },
  ],
  exports: [DatabaseServer],
})
class DatabaseServerModule {}

interface Start {
  readonly settings: Settings;
  readonly server: DatabaseServer;
  readonly patience: Patience;
}

/** The configured server, or else the embedded one. */
export function databaseServer(settings: Settings): DatabaseServer {
  const { url } = settings.database;
  return url === undefined
    ? new EmbeddedServer({ dataDir: settings.dataDir, database: DATABASE_NAME })
    : new ConfiguredServer(url);
}

async function connect({ photosafe, ...options }: DataSourceOptions & { photosafe: Start }): Promise<DataSource> {
  const { settings, server, patience } = photosafe;
  try {
    return await connectWithRetry(server.description, patience, async () => {
      const url = await server.url();
      await migrate(url);
      return new DataSource(
        withUrl({ ...dataSourceOptions(settings), entities: options.entities }, url, settings),
      ).initialize();
    });
  } catch (error) {
    await server.release();
    throw error;
  }
}
