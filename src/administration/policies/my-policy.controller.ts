import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Caller } from '../../auth/caller.decorator.js';
import { Principal } from '../../auth/principal.js';
import { RequireScopes } from '../../auth/require-scopes.decorator.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { PATOIS } from '../../native/patois.scopes.js';
import { Problem } from '../../native/problem.dto.js';
import { PolicyService } from '../../tokens/policy/policy.service.js';
import { Policy } from './policies.dto.js';

/** The policy that holds for the caller's own tokens, for everybody to read. */
@ApiTags('policies')
@ApiRefusals(Problem, { 401: 'No valid credential' })
@Controller('patois/v1/me/policy')
export class MyPolicyController {
  constructor(private readonly policies: PolicyService) {}

  @Get()
  @RequireScopes(PATOIS)
  @ApiOperation({
    operationId: 'getMyPolicy',
    summary: "Gets the policy of the caller's organization; any valid credential is accepted",
    description: 'What the organization wants of the tokens of its users, and so of those of the caller.',
  })
  async get(@Caller() { user }: Principal): Promise<Policy> {
    return new Policy(await this.policies.find(user.organizationId));
  }
}
