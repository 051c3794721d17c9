import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  Res,
  UsePipes,
} from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBody,
  ApiNoContentResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Caller } from '../../auth/caller.decorator.js';
import { Idempotent } from '../../auth/idempotent.decorator.js';
import { Principal } from '../../auth/principal.js';
import { RequireScopes } from '../../auth/require-scopes.decorator.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { validationPipe } from '../../http/validation/validation-pipe.js';
import { PATOIS } from '../../native/patois.scopes.js';
import { Problem } from '../../native/problem.dto.js';
import { DialectRegistry } from '../../protocol/dialect-registry.js';
import type { Token as TokenRow } from '../../tokens/token.entity.js';
import type { IssuedToken } from '../../tokens/token.service.js';
import { Job } from '../jobs/jobs.dto.js';
import {
  CreateToken,
  ListTokensQuery,
  RevokeTokenQuery,
  RotateToken,
  Token,
  TokenFilter,
  TokenPage,
  TokenWithSecret,
  UpdateToken,
} from './tokens.dto.js';
import { ExpirationsQuery, TokenExpirations, TokenSummary } from './token-summary.dto.js';
import { TokenAdministrationService } from './tokens.service.js';

const READ = 'patois:tokens.read';
const WRITE = 'patois:tokens.write';

const POLICY = 'The policy of the organization does not allow it; `errors[].pointer` names the rule';

const TOKEN_ID = { name: 'tokenId', description: 'The token id.', example: 'pt-4fK2mZq81LxT' };

/** Tokens of every dialect: the own ones, and those of whom the caller administers. */
@ApiTags('tokens')
@ApiRefusals(Problem, { 400: 'Bad input', 401: 'No valid credential', 403: 'Not allowed to this caller' })
@Controller('patois/v1/tokens')
@UsePipes(validationPipe('refused'))
export class TokensController {
  constructor(
    private readonly tokens: TokenAdministrationService,
    private readonly registry: DialectRegistry,
  ) {}

  @Post()
  @HttpCode(201)
  @Idempotent()
  @RequireScopes(PATOIS, WRITE)
  @ApiOperation({
    operationId: 'createToken',
    summary: 'Creates a token and returns its value once',
    description:
      'The value is returned only once, in this response. A token cannot hold scopes that the caller lacks.',
  })
  @ApiRefusals(Problem, {
    404: 'The owner does not exist or is not visible to the caller',
    409: 'The name is taken',
    422: POLICY,
  })
  async create(@Caller() caller: Principal, @Body() body: CreateToken): Promise<TokenWithSecret> {
    return this.showOnce(await this.tokens.issue(caller, body));
  }

  @Get()
  @RequireScopes(PATOIS, READ)
  @ApiOperation({
    operationId: 'listTokens',
    summary: 'Lists the tokens that the caller may see',
    description: 'Paginated. All filters that are given must match.',
  })
  async list(@Caller() caller: Principal, @Query() query: ListTokensQuery): Promise<TokenPage> {
    const { rows, nextCursor } = await this.tokens.list(caller, query);
    return new TokenPage(
      rows.map((row) => this.show(row)),
      nextCursor,
    );
  }

  @Get('summary')
  @RequireScopes(PATOIS, READ)
  @ApiOperation({
    operationId: 'summarizeTokens',
    summary: 'Counts the tokens that the caller may see',
    description:
      'All filters that are given must match. All counts are of one moment. Unless it says otherwise, a count is of tokens of every status.',
  })
  @ApiRefusals(Problem, { 503: 'Too many summaries at once' })
  async summary(@Caller() caller: Principal, @Query() query: TokenFilter): Promise<TokenSummary> {
    return new TokenSummary(await this.tokens.summary(caller, query));
  }

  @Get('summary/expirations')
  @RequireScopes(PATOIS, READ)
  @ApiOperation({
    operationId: 'summarizeExpirations',
    summary: 'Counts the active tokens that the caller may see by the day on which they expire',
    description:
      'All filters that are given must match. Days are those of UTC, and today is the first; those on which no token expires are left out.',
  })
  @ApiRefusals(Problem, { 503: 'Too many summaries at once' })
  async expirations(
    @Caller() caller: Principal,
    @Query() query: ExpirationsQuery,
  ): Promise<TokenExpirations> {
    return new TokenExpirations(await this.tokens.expirations(caller, query));
  }

  @Get(':tokenId')
  @RequireScopes(PATOIS, READ)
  @ApiOperation({
    operationId: 'getToken',
    summary: 'Gets a token',
    description: 'Any token that is visible to the caller, whichever API issued it.',
  })
  @ApiParam(TOKEN_ID)
  @ApiRefusals(Problem, { 404: 'The token does not exist or is not visible to the caller' })
  async get(@Caller() caller: Principal, @Param('tokenId') tokenId: string): Promise<Token> {
    return this.show(await this.tokens.get(caller, tokenId));
  }

  @Patch(':tokenId')
  @RequireScopes(PATOIS, WRITE)
  @ApiOperation({
    operationId: 'updateToken',
    summary: 'Updates a token; omitted keys keep their values',
    description: 'Omitted keys keep their values. Scopes and owner cannot be changed.',
  })
  @ApiParam(TOKEN_ID)
  @ApiRefusals(Problem, {
    404: 'The token does not exist or is not visible to the caller',
    409: 'The token is revoked, or the name is taken',
    422: POLICY,
  })
  async update(
    @Caller() caller: Principal,
    @Param('tokenId') tokenId: string,
    @Body() body: UpdateToken,
  ): Promise<Token> {
    return this.show(await this.tokens.update(caller, tokenId, body));
  }

  @Delete(':tokenId')
  @HttpCode(204)
  @RequireScopes(PATOIS, WRITE)
  @ApiOperation({
    operationId: 'revokeToken',
    summary: 'Revokes a token permanently',
    description: 'The token stops working at once and for good. Revoking a revoked token changes nothing.',
  })
  @ApiParam(TOKEN_ID)
  @ApiNoContentResponse({
    description: 'The token is revoked, and so are its descendants, if that was asked',
  })
  @ApiAcceptedResponse({
    type: Job,
    description: 'The token is revoked; the job revokes its descendants, which are more than 1,000',
    headers: { Location: { description: 'The path of the job.', schema: { type: 'string' } } },
  })
  @ApiRefusals(Problem, {
    404: 'The token does not exist or is not visible to the caller',
    409: 'The token is issuing others right now',
    503: 'Many revocations begin at once',
  })
  async revoke(
    @Caller() caller: Principal,
    @Param('tokenId') tokenId: string,
    @Query() query: RevokeTokenQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Job | undefined> {
    const job = await this.tokens.revoke(caller, tokenId, query);
    if (!job) return undefined;
    reply.status(202).header('location', `/patois/v1/jobs/${job.id}`);
    return new Job(job);
  }

  @Post(':tokenId/rotate')
  @HttpCode(200)
  @Idempotent()
  @RequireScopes(PATOIS, WRITE)
  @ApiOperation({
    operationId: 'rotateToken',
    summary: 'Rotates a token: replaces its value, at once or after a grace period',
    description:
      'The new value is returned only once, in this response. The old value keeps working for `graceSeconds`, or until 60 seconds after the first use of the new one; see `retireOnFirstUse`. A second rotation ends it at once.',
  })
  @ApiParam(TOKEN_ID)
  @ApiBody({ type: RotateToken, required: false })
  @ApiRefusals(Problem, {
    404: 'The token does not exist or is not visible to the caller',
    409: 'The token is revoked, or was rotated by another call at the same time',
    422: POLICY,
  })
  async rotate(
    @Caller() caller: Principal,
    @Param('tokenId') tokenId: string,
    @Body() body: RotateToken,
  ): Promise<TokenWithSecret> {
    return this.showOnce(await this.tokens.rotate(caller, tokenId, body));
  }

  private show(token: TokenRow): Token {
    return new Token(token, this.registry.of(token).externalId(token));
  }

  private showOnce({ token, value }: IssuedToken): TokenWithSecret {
    return new TokenWithSecret(token, this.registry.of(token).externalId(token), value);
  }
}
