import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { HttpServers } from './http-servers.js';
import { AuditModule } from '../audit/audit.module.js';
import { RefusalFilter } from './refusals/refusal.filter.js';
import { RefusedCalls } from './refusals/refused-calls.js';
import { RouteTable } from './route-table.js';

/** What every request passes through. */
@Module({})
export class HttpModule {
  /** @param routes and `servers` are made outside: they answer some requests before Nest sees them. */
  static forRoot(routes: RouteTable, servers: HttpServers): DynamicModule {
    return {
      module: HttpModule,
      global: true,
      imports: [AuditModule],
      providers: [
        { provide: RouteTable, useValue: routes },
        { provide: HttpServers, useValue: servers },
        RefusedCalls,
        { provide: APP_FILTER, useClass: RefusalFilter },
      ],
      exports: [RouteTable, HttpServers, RefusedCalls],
    };
  }
}
