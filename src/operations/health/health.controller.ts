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
    summary: 'Checks that the process is alive',
    description: 'Does not query the database. For liveness probes.',
  })
  health(): Health {
    return new Health();
  }

  @Get('readyz')
  @Public()
  @ApiOperation({
    operationId: 'getReadiness',
    summary: 'Checks that requests can be served',
    description:
      '200 when the database answers, its schema is current and the server is not about to end, else 503. For readiness probes and load balancers.',
  })
  @ApiRefusals(Problem, {
    503: 'The server is about to end, or the database does not answer within two seconds or lacks migrations of this version',
  })
  async ready(): Promise<Health> {
    await this.readiness.assertReady();
    return new Health();
  }
}
