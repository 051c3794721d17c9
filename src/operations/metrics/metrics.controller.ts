import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '../../auth/require-scopes.decorator.js';
import { Metrics } from './metrics.js';

/** What Prometheus asks, without a credential. */
@ApiTags('operations')
@Controller()
export class MetricsController {
  constructor(private readonly metrics: Metrics) {}

  @Get('metrics')
  @Public()
  @ApiOperation({
    operationId: 'getMetrics',
    summary: 'Gives the metrics in the text format of Prometheus',
    description: 'No label has a token, a token id, a login or a path that a client chose.',
  })
  @ApiProduces('text/plain')
  @ApiOkResponse({ schema: { type: 'string', example: 'patois_remembered_verdicts 1' } })
  async read(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    reply.header('content-type', this.metrics.registry.contentType);
    return this.metrics.registry.metrics();
  }
}
