import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { HttpServers } from './http-servers.js';
import { RefusalFilter } from './refusals/refusal.filter.js';
import { RouteTable } from './route-table.js';

/** What every request passes through. */
@Module({})
export class HttpModule {
  /** @param routes and `servers` are made outside: they answer some requests before Nest sees them. */
  static forRoot(routes: RouteTable, servers: HttpServers): DynamicModule {
    return {
      module: HttpModule,
      global: true,
      providers: [
        { provide: RouteTable, useValue: routes },
        { provide: HttpServers, useValue: servers },
        { provide: APP_FILTER, useClass: RefusalFilter },
      ],
      exports: [RouteTable, HttpServers],
    };
  }
}
