import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Public } from '../../auth/require-scopes.decorator.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { Problem } from '../../native/problem.dto.js';
import { Health } from './health.dto.js';
import { Readiness } from './readiness.js';

/** What orchestrators ask, without a credential. */
@ApiTags('operations')
@Controller()
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

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
  @ApiRefusals(Problem, {
    503: 'The database does not answer within two seconds, or its schema is older than this server',
  })
  async ready(): Promise<Health> {
    await this.readiness.assertReady();
    return new Health();
  }
}
