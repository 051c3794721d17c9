import { Logger, Module, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, HTTPMethods } from 'fastify';
import { DialectRegistry } from '../access/dialect.js';
import { withoutSecrets } from '../tokens/token-format.js';
import { GATEWAY_PATH, GATEWAY_PATH_BELOW, gatewayHandler } from './gateway.js';
import { GATEWAY_PATHS } from './gateway.openapi.js';
import { HolderRevocation } from './holder-revocation.js';
import { Judge } from './judge.js';
import { OAuthController } from './oauth.controller.js';
import { oauthOwner } from './oauth.owner.js';
import { VerdictMeter } from './verdict-meter.js';
import { VerificationController } from './verification.controller.js';

/** A gateway asks with the method of its client. */
const METHODS: HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

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
  ) {
    registry.registerOwner(oauthOwner);
    registry.describePaths(GATEWAY_PATHS);
  }

  /** The busiest door goes past Nest's pipeline, straight to the judge that every door asks. */
  onModuleInit(): void {
    const server = this.host.httpAdapter.getInstance<FastifyInstance>();
    const handler = gatewayHandler(this.judge, (problem) => {
      this.logger.error(
        withoutSecrets(problem instanceof Error ? (problem.stack ?? problem.message) : String(problem)),
      );
    });
    for (const url of [GATEWAY_PATH, GATEWAY_PATH_BELOW]) server.route({ method: METHODS, url, handler });
  }
}
