import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Caller } from '../../auth/caller.decorator.js';
import { Idempotent } from '../../auth/idempotent.decorator.js';
import { Principal } from '../../auth/principal.js';
import { RequireScopes } from '../../auth/require-scopes.decorator.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { validationPipe } from '../../http/validation/validation-pipe.js';
import { PATOIS } from '../../native/patois.scopes.js';
import { Problem } from '../../native/problem.dto.js';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import { Refusal } from '../../refusal.js';
import { inTurns } from '../../turnstile.js';
import { CreateTokens, TokensWithSecrets } from './token-batch.dto.js';
import { CreateToken, TokenWithSecret } from './tokens.dto.js';
import { ofBatch, TokenAdministrationService } from './tokens.service.js';

const MAX_TOKENS = 1_000;

/** Many tokens in one request. */
@ApiTags('tokens')
@ApiRefusals(Problem, { 400: 'Bad input', 401: 'No valid credential', 403: 'Not allowed to this caller' })
@Controller('patois/v1')
export class TokenBatchController {
  private readonly pipe = validationPipe('refused');

  constructor(
    private readonly tokens: TokenAdministrationService,
    private readonly registry: DialectRegistry,
  ) {}

  // Two colons stand for one in a path of Fastify's.
  @Post('tokens::batch')
  @HttpCode(201)
  @Idempotent()
  @RequireScopes(PATOIS, 'patois:tokens.write')
  @ApiOperation({
    operationId: 'createTokens',
    summary: 'Creates 1 to 1000 tokens, or none of them',
    description:
      'The values are returned only once, in this response, in the order of the request. The rules are those of `createToken`; the first token that is refused refuses all.',
  })
  @ApiBody({ type: CreateTokens })
  @ApiRefusals(Problem, {
    404: 'An owner does not exist or is not visible to the caller',
    409: 'A name is taken',
    422: 'The policy of an organization does not allow it',
  })
  async create(@Caller() caller: Principal, @Body() body: unknown): Promise<TokensWithSecrets> {
    const bodies = await inTurns(listOf(body), (item, index) => this.validated(item, index));
    const issued = await this.tokens.issueMany(caller, bodies);
    return {
      tokens: issued.map(
        ({ token, value }) => new TokenWithSecret(token, this.registry.of(token).externalId(token), value),
      ),
    };
  }

  private async validated(item: unknown, index: number): Promise<CreateToken> {
    try {
      return (await this.pipe.transform(item, { type: 'body', metatype: CreateToken })) as CreateToken;
    } catch (error) {
      throw ofBatch(error, index);
    }
  }
}

/** @throws {Refusal} invalid for what is no list of 1 to 1,000. */
function listOf(body: unknown): unknown[] {
  const { tokens, ...others } = (body ?? {}) as { tokens?: unknown };
  if (!Array.isArray(tokens) || tokens.length < 1 || tokens.length > MAX_TOKENS) {
    throw Refusal.ofField(['tokens'], 'isArray', `tokens must be a list of 1 to ${MAX_TOKENS}`);
  }
  const [other] = Object.keys(others);
  if (other !== undefined) {
    throw Refusal.ofField([other], 'whitelistValidation', `property ${other} should not exist`);
  }
  return tokens;
}
