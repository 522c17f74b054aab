import { type DynamicModule, Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Endpoints } from './endpoints.js';
import { Entrance } from './entrance.js';

/** What only a process that answers HTTP has. */
@Global()
@Module({})
export class HttpModule {
  static forRoot(entrance: Entrance): DynamicModule {
    return {
      module: HttpModule,
      imports: [DiscoveryModule],
      providers: [Endpoints, { provide: Entrance, useValue: entrance }],
      exports: [Endpoints],
    };
  }
}
