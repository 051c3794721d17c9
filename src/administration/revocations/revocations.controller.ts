import { Body, Controller, HttpCode, Post, Res, UsePipes } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Caller } from '../../auth/caller.decorator.js';
import { Principal } from '../../auth/principal.js';
import { RequireScopes } from '../../auth/require-scopes.decorator.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { validationPipe } from '../../http/validation/validation-pipe.js';
import { PATOIS } from '../../native/patois.scopes.js';
import { Problem } from '../../native/problem.dto.js';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import { Job } from '../jobs/jobs.dto.js';
import { Token } from '../tokens/tokens.dto.js';
import { CreateRevocation, RevocationPreview } from './revocations.dto.js';
import { RevocationAdministrationService } from './revocations.service.js';

const FILTER = { owner: 'ada', neverUsed: true };
const EXAMPLES = {
  preview: { summary: 'Count', value: { filter: FILTER, dryRun: true } },
  revocation: { summary: 'Revoke', value: { filter: FILTER, reason: 'Ada has left', expectedCount: 12 } },
};

/** The end of many tokens at once. */
@ApiTags('tokens')
@ApiRefusals(Problem, { 400: 'Bad input', 401: 'No valid credential', 403: 'Not allowed to this caller' })
@Controller('patois/v1/revocations')
@UsePipes(validationPipe('refused'))
export class RevocationsController {
  constructor(
    private readonly revocations: RevocationAdministrationService,
    private readonly registry: DialectRegistry,
  ) {}

  @Post()
  @HttpCode(202)
  @RequireScopes(PATOIS, 'patois:tokens.write')
  @ApiOperation({
    operationId: 'revokeTokens',
    summary: 'Revokes all tokens that a filter means, by a job',
    description:
      'Meant are the tokens that the caller may see, that meet the filter and that are not revoked; expired and inactive ones too. Which these are is settled when the job begins. Its result is `{revoked, alreadyRevoked, appeared}`: `alreadyRevoked` were revoked by others meanwhile, `appeared` meet the filter when the job ends and are not revoked: they were created, or came to meet it, after it began.' +
      ' With `dryRun` nothing is revoked: the answer (200) is how many tokens are meant, and some of them.',
  })
  @ApiBody({ type: CreateRevocation, examples: EXAMPLES })
  @ApiOkResponse({ type: RevocationPreview, description: 'With `dryRun`' })
  @ApiAcceptedResponse({
    type: Job,
    description: 'The job',
    headers: { Location: { description: 'The path of the job.', schema: { type: 'string' } } },
  })
  @ApiRefusals(Problem, {
    409: 'Not as many tokens are meant as expected; nothing is revoked',
    503: 'Many revocations begin at once',
  })
  async create(
    @Caller() caller: Principal,
    @Body() body: CreateRevocation,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RevocationPreview | Job> {
    if (body.dryRun) {
      reply.status(200);
      const { count, sample } = await this.revocations.preview(caller, body);
      const tokens = sample.map((token) => new Token(token, this.registry.of(token).externalId(token)));
      return new RevocationPreview(count, tokens);
    }
    const job = await this.revocations.start(caller, body);
    reply.header('location', `/patois/v1/jobs/${job.id}`);
    return new Job(job);
  }
}
