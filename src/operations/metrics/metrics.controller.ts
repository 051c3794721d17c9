import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '../../auth/require-scopes.decorator.js';
import { MetricRegistry } from './metric-registry.js';

/** What Prometheus asks, without a credential. */
@ApiTags('operations')
@Controller()
export class MetricsController {
  constructor(private readonly registry: MetricRegistry) {}

  @Get('metrics')
  @Public()
  @ApiOperation({
    operationId: 'getMetrics',
    summary: 'Returns metrics in the Prometheus text format',
    description: 'No label holds a token, a token id, a login or a path chosen by a client.',
  })
  @ApiProduces('text/plain')
  @ApiOkResponse({ schema: { type: 'string', example: 'patois_remembered_verdicts 1' } })
  async read(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    reply.header('content-type', this.registry.contentType);
    return this.registry.metrics();
  }
}
