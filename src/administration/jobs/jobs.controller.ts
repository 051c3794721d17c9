import { Controller, Get, HttpCode, Param, Post, Query, UsePipes } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { Caller } from '../../auth/caller.decorator.js';
import { Principal } from '../../auth/principal.js';
import { RequireScopes } from '../../auth/require-scopes.decorator.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { validationPipe } from '../../http/validation/validation-pipe.js';
import { PATOIS } from '../../native/patois.scopes.js';
import { Problem } from '../../native/problem.dto.js';
import { Job, JobPage, ListJobsQuery } from './jobs.dto.js';
import { JobAdministrationService } from './jobs.service.js';

const JOB_ID = { name: 'id', description: 'The uuid.', example: '0c8e8a1e-9a3b-4a39-9f57-4b8f6f0f3f10' };

/** Long work, for administrators: how far it is, what came of it, and its end on request. */
@ApiTags('jobs')
@ApiRefusals(Problem, { 400: 'Bad input', 401: 'No valid credential', 403: 'Not allowed to this caller' })
@Controller('patois/v1/jobs')
@UsePipes(validationPipe('refused'))
export class JobsController {
  constructor(private readonly jobs: JobAdministrationService) {}

  @Get()
  @RequireScopes(PATOIS, 'patois:tokens.read')
  @ApiOperation({
    operationId: 'listJobs',
    summary: 'Lists jobs, newest first',
    description:
      'Paginated. All filters that are given must match. Jobs are kept for 30 days after their end.',
  })
  async list(@Caller() caller: Principal, @Query() query: ListJobsQuery): Promise<JobPage> {
    const { rows, nextCursor } = await this.jobs.list(caller, query);
    return new JobPage(rows, nextCursor);
  }

  @Get(':id')
  @RequireScopes(PATOIS, 'patois:tokens.read')
  @ApiOperation({ operationId: 'getJob', summary: 'Gets a job', description: 'With its progress so far.' })
  @ApiParam(JOB_ID)
  @ApiRefusals(Problem, { 404: 'The job does not exist or is not visible to the caller' })
  async get(@Caller() caller: Principal, @Param('id') id: string): Promise<Job> {
    return new Job(await this.jobs.get(caller, id));
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @RequireScopes(PATOIS, 'patois:tokens.write')
  @ApiOperation({
    operationId: 'cancelJob',
    summary: 'Cancels a job',
    description:
      'The part under way, of a thousand rows at most, is finished before the answer; what was done stays. Cancelling a cancelled job changes nothing.',
  })
  @ApiParam(JOB_ID)
  @ApiRefusals(Problem, {
    404: 'The job does not exist or is not visible to the caller',
    409: 'The job is done or has failed',
  })
  async cancel(@Caller() caller: Principal, @Param('id') id: string): Promise<Job> {
    return new Job(await this.jobs.cancel(caller, id));
  }
}
