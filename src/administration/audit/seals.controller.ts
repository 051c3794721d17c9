import { Controller, Get, Header, HttpCode, Param, Post, Query, Res, UsePipes } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Caller } from '../../auth/caller.decorator.js';
import { Principal } from '../../auth/principal.js';
import { Public, RequireScopes } from '../../auth/require-scopes.decorator.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { validationPipe } from '../../http/validation/validation-pipe.js';
import { ListQuery } from '../../native/list.dto.js';
import { PATOIS } from '../../native/patois.scopes.js';
import { Problem } from '../../native/problem.dto.js';
import { Job } from '../jobs/jobs.dto.js';
import { AuditJwkSet, AuditSealPage, AuditSealWithLeaves } from './seals.dto.js';
import { SealsService } from './seals.service.js';
import { AuditVerificationService } from './verification.service.js';

const ACCEPTED = {
  type: Job,
  description: 'The job. Its result is described in docs/audit.md.',
  headers: { Location: { description: 'The path of the job.', schema: { type: 'string' as const } } },
};
const VERIFICATION =
  'For administrators of everything. The result of the job is `{seals, events, verifiedTo, root, prunedTo}`: how many seals and events hold, up to which seal and its root, and up to which seal the events were pruned; `problem` (`{kind, event, seal, message}`) names the first event, or seal, that does not hold: `changed`, `missing`, `reordered`, `foreign`, `unsealed` or `seal`. While such a job is under way it is the answer.';

/** Seals over the audit trail, for administrators of everything. */
@ApiTags('audit')
@ApiRefusals(Problem, { 400: 'Bad input', 401: 'No valid credential', 403: 'Not allowed to this caller' })
@Controller('patois/v1/audit-seals')
@UsePipes(validationPipe('refused'))
export class SealsController {
  constructor(
    private readonly seals: SealsService,
    private readonly verification: AuditVerificationService,
  ) {}

  @Get()
  @RequireScopes(PATOIS, 'patois:users.read')
  @ApiOperation({
    operationId: 'listAuditSeals',
    summary: 'Lists the seals of the audit trail, newest first',
    description:
      'For administrators of everything. Paginated. An event is under a seal ten seconds after its change was committed, at the latest.',
  })
  async list(@Caller() caller: Principal, @Query() query: ListQuery): Promise<AuditSealPage> {
    const { rows, nextCursor } = await this.seals.list(caller, query);
    return new AuditSealPage(rows, nextCursor);
  }

  @Get('keys')
  @Header('cache-control', 'public, max-age=300')
  @Public()
  @ApiOperation({
    operationId: 'getAuditKeys',
    summary: 'Returns the public keys of seals (RFC 7517)',
    description: 'Those that have left `TOKEN_KEYS` as well, as long as a key of it has vouched for them.',
  })
  async keys(): Promise<AuditJwkSet> {
    return new AuditJwkSet(await this.seals.publicKeys());
  }

  @Get('verification')
  @HttpCode(202)
  @RequireScopes(PATOIS, 'patois:users.read')
  @ApiOperation({
    operationId: 'startAuditVerification',
    summary: 'Starts a job that verifies the audit trail',
    description: VERIFICATION,
  })
  @ApiAcceptedResponse(ACCEPTED)
  async verify(@Caller() caller: Principal, @Res({ passthrough: true }) reply: FastifyReply): Promise<Job> {
    const job = await this.verification.start(caller);
    reply.header('location', `/patois/v1/jobs/${job.id}`).header('cache-control', 'no-store');
    return new Job(job);
  }

  @Post('verification')
  @HttpCode(202)
  @RequireScopes(PATOIS, 'patois:users.read')
  @ApiOperation({
    operationId: 'postAuditVerification',
    summary: 'Starts a job that verifies the audit trail',
    description: `The same as GET. ${VERIFICATION}`,
  })
  @ApiAcceptedResponse(ACCEPTED)
  verifyByPost(@Caller() caller: Principal, @Res({ passthrough: true }) reply: FastifyReply): Promise<Job> {
    return this.verify(caller, reply);
  }

  @Get(':sequence')
  @RequireScopes(PATOIS, 'patois:users.read')
  @ApiOperation({
    operationId: 'getAuditSeal',
    summary: 'Gets a seal, with the leaves of its tree',
    description: 'For administrators of everything. There are 2,000 leaves at most.',
  })
  @ApiParam({ name: 'sequence', description: 'The number of the seal.', type: 'integer', example: 42 })
  @ApiRefusals(Problem, { 404: 'There is no such seal' })
  async get(@Caller() caller: Principal, @Param('sequence') sequence: string): Promise<AuditSealWithLeaves> {
    const { seal, leaves } = await this.seals.get(caller, sequence);
    return new AuditSealWithLeaves(seal, leaves);
  }
}
