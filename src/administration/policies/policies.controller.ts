import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  Param,
  Post,
  Put,
  Query,
  Res,
  UsePipes,
} from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Caller } from '../../auth/caller.decorator.js';
import { Principal } from '../../auth/principal.js';
import { RequireScopes } from '../../auth/require-scopes.decorator.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { validationPipe } from '../../http/validation/validation-pipe.js';
import { PATOIS } from '../../native/patois.scopes.js';
import { Problem } from '../../native/problem.dto.js';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import type { Policy as PolicyRow } from '../../tokens/policy/policy.entity.js';
import { Job } from '../jobs/jobs.dto.js';
import { Token } from '../tokens/tokens.dto.js';
import { entityTagOf, expectationOf } from './entity-tag.js';
import { Policy, PolicyPreview, ReplacePolicy, ReplacePolicyQuery } from './policies.dto.js';
import { PolicyAdministrationService } from './policies.service.js';

const WITH_ENTITY_TAG = {
  type: Policy,
  headers: {
    ETag: {
      description: 'The entity tag of the policy, for `If-Match`.',
      schema: { type: 'string' as const },
    },
  },
};

/** The policy of an organization: what it wants of the tokens of its users, in every API. */
@ApiTags('policies')
@ApiParam({ name: 'organization', description: 'Name or uuid of the organization.', example: 'Default' })
@ApiRefusals(Problem, {
  400: 'Bad input',
  401: 'No valid credential',
  403: 'Not allowed to this caller',
  404: 'The organization does not exist or is not visible to the caller',
})
@Controller('patois/v1/organizations/:organization/policy')
@UsePipes(validationPipe('refused'))
export class PoliciesController {
  constructor(
    private readonly policies: PolicyAdministrationService,
    private readonly registry: DialectRegistry,
  ) {}

  @Get()
  @RequireScopes(PATOIS, 'patois:users.read')
  @ApiOperation({
    operationId: 'getPolicy',
    summary: 'Gets the policy of an organization',
    description: 'For administrators, and administrators of the organization.',
  })
  @ApiOkResponse(WITH_ENTITY_TAG)
  async get(
    @Caller() caller: Principal,
    @Param('organization') organization: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Policy> {
    return show(await this.policies.get(caller, organization), reply);
  }

  @Put()
  @RequireScopes(PATOIS, 'patois:users.write')
  @ApiOperation({
    operationId: 'replacePolicy',
    summary: 'Replaces the policy of an organization',
    description:
      'Omitted keys get their defaults. It holds for what is created, updated or rotated from then on. Tokens that exist stay as they are; with `existing=conform` a job, which is the answer then (202), shortens their lives, confines them, and revokes those that cannot conform, were unused for too long or are too many; a token needs `patois:tokens.write` for that as well.' +
      ' To allow more than before takes a caller by password, or by a token with `*`, without CIDR blocks and without expiry.',
  })
  @ApiHeader({
    name: 'If-Match',
    required: false,
    description: 'Replaces the policy only if its entity tag is one of these.',
    schema: { type: 'string' },
  })
  @ApiOkResponse(WITH_ENTITY_TAG)
  @ApiAcceptedResponse({
    type: Job,
    description: 'With `existing=conform`: the job',
    headers: {
      ...WITH_ENTITY_TAG.headers,
      Location: { description: 'The path of the job.', schema: { type: 'string' } },
    },
  })
  @ApiRefusals(Problem, { 412: 'The policy is not the one that `If-Match` names' })
  async replace(
    @Caller() caller: Principal,
    @Param('organization') organization: string,
    @Query() { existing }: ReplacePolicyQuery,
    @Body() body: ReplacePolicy,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Policy | Job> {
    const options = { existing, isExpected: expectationOf(ifMatch) };
    const { policy, job } = await this.policies.replace(caller, organization, body, options);
    const shown = show(policy, reply);
    if (!job) return shown;
    reply.status(202).header('location', `/patois/v1/jobs/${job.id}`);
    return new Job(job);
  }

  @Post('preview')
  @HttpCode(200)
  @RequireScopes(PATOIS, 'patois:tokens.read')
  @ApiOperation({
    operationId: 'previewPolicy',
    summary: 'Counts the tokens that would break a policy',
    description:
      'Changes nothing. Of an owner with more than `maxTokensPerUser` tokens, those that were used least recently count.',
  })
  @ApiRefusals(Problem, { 503: 'Many previews at once' })
  async preview(
    @Caller() caller: Principal,
    @Param('organization') organization: string,
    @Body() body: ReplacePolicy,
  ): Promise<PolicyPreview> {
    const { affected, byRule, sample } = await this.policies.effects(caller, organization, body);
    const tokens = sample.map((token) => new Token(token, this.registry.of(token).externalId(token)));
    return { affected, byRule, sample: tokens };
  }
}

function show(policy: PolicyRow, reply: FastifyReply): Policy {
  reply.header('etag', entityTagOf(policy));
  return new Policy(policy);
}
