import { Module } from '@nestjs/common';
import { AuthModule } from '../../auth/auth.module.js';
import { DecisionsModule } from '../../decisions/decisions.module.js';
import { HttpServers } from '../../http/http-servers.js';
import { RouteTable } from '../../http/route-table.js';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import { SigningModule } from '../../signing/signing.module.js';
import { OAuthModule } from '../oauth/oauth.module.js';
import { IntrospectionJwts } from './introspection-jwts.js';
import { INTROSPECTION_PATHS } from './introspection.openapi.js';
import { INTROSPECTION_PATH, IntrospectionService, isIntrospection } from './introspection.service.js';

/** `/oauth2/introspect`, a fast path. */
@Module({
  imports: [AuthModule, DecisionsModule, OAuthModule, SigningModule],
  providers: [IntrospectionJwts, IntrospectionService],
})
export class IntrospectionModule {
  constructor(
    registry: DialectRegistry,
    routes: RouteTable,
    { fastPaths }: HttpServers,
    introspection: IntrospectionService,
  ) {
    fastPaths.add(INTROSPECTION_PATH, isIntrospection, (request) => introspection.answer(request));
    registry.describePaths(INTROSPECTION_PATHS);
    routes.add(INTROSPECTION_PATH, 'POST');
  }
}
