import { Logger, Module, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost, ModuleRef } from '@nestjs/core';
import type { Server } from 'node:http';
import { Authenticator } from '../access/authenticator.js';
import { DialectRegistry } from '../access/dialect.js';
import { serveDirectly } from '../access/direct.js';
import { RouteTable } from '../access/route-table.js';
import { CONFIG, type Config } from '../config.js';
import { withoutSecrets } from '../secrets.js';
import { GATEWAY_PATH, gatewayHandler, isForGateway } from './gateway.js';
import { DIRECT_PATHS } from './direct.openapi.js';
import { INTROSPECTION_PATH, introspectionHandler, isIntrospection } from './introspection.js';
import { HolderRevocation } from './holder-revocation.js';
import { Judge } from './judge.js';
import { OAuthController } from './oauth.controller.js';
import { oauthOwner } from './oauth.owner.js';
import { VerdictMeter } from './verdict-meter.js';
import { VerificationController } from './verification.controller.js';

/** A gateway asks with the method of its client. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** May this token, from this address, do this? The doors that gateways and services ask at. */
@Module({
  controllers: [OAuthController, VerificationController],
  providers: [Judge, VerdictMeter, HolderRevocation],
  exports: [Judge, VerdictMeter],
})
export class VerificationModule implements OnModuleInit {
  private readonly logger = new Logger(VerificationModule.name);

  constructor(
    registry: DialectRegistry,
    private readonly routes: RouteTable,
    private readonly modules: ModuleRef,
  ) {
    registry.registerOwner(oauthOwner);
    registry.describePaths(DIRECT_PATHS);
  }

  /** The two busiest doors go past the framework, straight to the judge that every door asks. */
  onModuleInit(): void {
    const { httpAdapter } = this.modules.get(HttpAdapterHost, { strict: false });
    const server = httpAdapter.getHttpServer() as Server;
    const judge = this.modules.get(Judge);
    const config = this.modules.get<Config>(CONFIG, { strict: false });
    const authenticator = this.modules.get(Authenticator, { strict: false });
    const logFault = (problem: unknown): void => {
      const text = problem instanceof Error ? (problem.stack ?? problem.message) : String(problem);
      this.logger.error(withoutSecrets(text));
    };
    const introspect = introspectionHandler({
      authenticator,
      judge,
      config,
      logFault,
    });
    serveDirectly(server, isIntrospection, introspect);
    serveDirectly(server, isForGateway, gatewayHandler(judge, config.trustedProxies, logFault));
    this.routes.add(INTROSPECTION_PATH, 'POST');
    for (const path of [GATEWAY_PATH, `${GATEWAY_PATH}/*`]) this.routes.add(path, METHODS);
  }
}
