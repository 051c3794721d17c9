import { Module } from '@nestjs/common';
import { DecisionsModule } from '../../decisions/decisions.module.js';
import { HttpServers } from '../../http/http-servers.js';
import { RouteTable } from '../../http/route-table.js';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import { GATEWAY_PATHS } from './gateway.openapi.js';
import { GATEWAY_PATH, GatewayService, isForGateway } from './gateway.service.js';

/** A gateway asks with the method of its client. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** `/verify`, a fast path. */
@Module({ imports: [DecisionsModule], providers: [GatewayService] })
export class GatewayModule {
  constructor(
    registry: DialectRegistry,
    routes: RouteTable,
    { fastPaths }: HttpServers,
    gateway: GatewayService,
  ) {
    fastPaths.add(GATEWAY_PATH, isForGateway, (request) => gateway.answer(request));
    registry.describePaths(GATEWAY_PATHS);
    for (const path of [GATEWAY_PATH, `${GATEWAY_PATH}/*`]) routes.add(path, METHODS);
  }
}
