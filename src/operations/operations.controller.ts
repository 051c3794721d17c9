import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '../access/needs.js';
import { Refuses } from '../access/refuses.js';
import { Problem } from '../administration/problem.dto.js';
import { Metrics } from './metrics.js';
import { Health } from './operations.dto.js';
import { Readiness } from './readiness.js';

/** What orchestrators and Prometheus ask, without a credential. */
@ApiTags('operations')
@Controller()
export class OperationsController {
  constructor(
    private readonly readiness: Readiness,
    private readonly metrics: Metrics,
  ) {}

  @Get('healthz')
  @Public()
  @ApiOperation({
    operationId: 'getHealth',
    summary: 'Says that the process is alive',
    description: 'It asks nobody, neither the database: for the restart of a process that hangs.',
  })
  health(): Health {
    return new Health();
  }

  @Get('readyz')
  @Public()
  @ApiOperation({
    operationId: 'getReadiness',
    summary: 'Says whether the database answers and its schema is current',
    description: '503 where it cannot do its work: for who sends requests to it, or does not.',
  })
  @Refuses(Problem, {
    503: 'The database does not answer within two seconds, or its schema is older than this server',
  })
  async ready(): Promise<Health> {
    await this.readiness.assertReady();
    return new Health();
  }

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
