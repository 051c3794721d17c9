import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { DecisionsModule } from '../decisions/decisions.module.js';
import { HttpServers } from '../http/http-servers.js';
import { RouteTable } from '../http/route-table.js';
import { DialectRegistry } from '../protocol/dialect-registry.js';
import { TokensModule } from '../tokens/tokens.module.js';
import { BatchController } from './batch/batch.controller.js';
import { GATEWAY_PATHS } from './gateway/gateway.openapi.js';
import { GATEWAY_PATH, GatewayService, isForGateway } from './gateway/gateway.service.js';
import { INTROSPECTION_PATHS } from './introspection/introspection.openapi.js';
import {
  INTROSPECTION_PATH,
  IntrospectionService,
  isIntrospection,
} from './introspection/introspection.service.js';
import { OAuthController } from './oauth/oauth.controller.js';
import { OAuthOwner } from './oauth/oauth.owner.js';
import { RevocationService } from './oauth/revocation.service.js';

/** A gateway asks with the method of its client. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** May this token, from this address, do this? The doors that gateways and services ask at; the two busiest are fast paths. */
@Module({
  imports: [AuthModule, DecisionsModule, TokensModule],
  controllers: [OAuthController, BatchController],
  providers: [GatewayService, IntrospectionService, OAuthOwner, RevocationService],
})
export class VerificationModule {
  constructor(
    registry: DialectRegistry,
    routes: RouteTable,
    { fastPaths }: HttpServers,
    oauth: OAuthOwner,
    introspection: IntrospectionService,
    gateway: GatewayService,
  ) {
    registry.registerOwner(oauth);
    registry.describePaths({ ...INTROSPECTION_PATHS, ...GATEWAY_PATHS });
    fastPaths.add(isForGateway, (request) => gateway.answer(request));
    fastPaths.add(isIntrospection, (request) => introspection.answer(request));
    routes.add(INTROSPECTION_PATH, 'POST');
    for (const path of [GATEWAY_PATH, `${GATEWAY_PATH}/*`]) routes.add(path, METHODS);
  }
}
