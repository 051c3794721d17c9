import { Inject, Logger, Module, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Server } from 'node:http';
import { DialectRegistry } from '../access/dialect.js';
import { serveDirectly } from '../access/http-server.js';
import { RouteTable } from '../access/route-table.js';
import { CONFIG, type Config } from '../config.js';
import { withoutSecrets } from '../tokens/token-format.js';
import { GATEWAY_PATH, gatewayHandler } from './gateway.js';
import { GATEWAY_PATHS } from './gateway.openapi.js';
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
    private readonly host: HttpAdapterHost,
    private readonly judge: Judge,
    private readonly routes: RouteTable,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    registry.registerOwner(oauthOwner);
    registry.describePaths(GATEWAY_PATHS);
  }

  /** The busiest door goes past the framework, straight to the judge that every door asks. */
  onModuleInit(): void {
    const handler = gatewayHandler(this.judge, this.config.trustedProxies, (problem) => {
      const text = problem instanceof Error ? (problem.stack ?? problem.message) : String(problem);
      this.logger.error(withoutSecrets(text));
    });
    serveDirectly(this.host.httpAdapter.getHttpServer() as Server, GATEWAY_PATH, handler);
    for (const path of [GATEWAY_PATH, `${GATEWAY_PATH}/*`]) this.routes.add(path, METHODS);
  }
}
