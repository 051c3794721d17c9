import { Body, Controller, Get, HttpCode, Post, Query, UsePipes } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Caller } from '../../auth/caller.decorator.js';
import { Principal } from '../../auth/principal.js';
import { RequireScopes } from '../../auth/require-scopes.decorator.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { validationPipe } from '../../http/validation/validation-pipe.js';
import { complaintsOf } from '../../native/patois.dialect.js';
import { PATOIS } from '../../native/patois.scopes.js';
import { Problem } from '../../native/problem.dto.js';
import { Refusal } from '../../refusal.js';
import { inTurns } from '../../turnstile.js';
import { ofBatch } from '../tokens/tokens.service.js';
import {
  ImportAnswer,
  ImportedTokenBody,
  ImportedTokenPage,
  ImportHead,
  ImportResult,
  ImportSummary,
  ImportTokens,
  ListImportsQuery,
  VisiblePart,
} from './imports.dto.js';
import { ImportAdministrationService } from './imports.service.js';

const MAX_TOKENS = 1_000;
const MAX_ERRORS = 100;

/** Tokens that other systems have issued. */
@ApiTags('imports')
@ApiRefusals(Problem, { 400: 'Bad input', 401: 'No valid credential', 403: 'Not allowed to this caller' })
@Controller('patois/v1/imports')
export class ImportsController {
  private readonly pipe = validationPipe('refused');

  constructor(private readonly imports: ImportAdministrationService) {}

  @Post()
  @HttpCode(200)
  @RequireScopes(PATOIS, 'patois:tokens.write')
  @ApiOperation({
    operationId: 'importTokens',
    summary: 'Imports 1 to 1000 tokens by the hashes of their values, or none of them',
    description:
      'The values keep working, in every API, and are hashed anew at their first use. For administrators, and, into the own organization, administrators of an organization; the rules are those of `createToken`. A token that was imported before, by `source` and `foreignId` or its hash, stays as it is: so a call can be repeated.',
  })
  @ApiBody({ type: ImportTokens })
  @ApiRefusals(Problem, {
    404: 'An owner does not exist or is not visible to the caller',
    409: 'A name is taken, or a hash was imported for another token',
    422: 'The policy of an organization does not allow it',
  })
  async run(@Caller() caller: Principal, @Body() body: unknown): Promise<ImportAnswer> {
    caller.assertAdministers();
    const { tokens, ...rest } = (body ?? {}) as { tokens?: unknown };
    const list = listOf(tokens);
    const { source, keys = {}, dryRun = false } = await this.validated(rest, ImportHead);
    const bodies = await inTurns(list, (item, index) => this.tokenOf(item, index));
    const { tokens: done, errors } = await this.imports.run(caller, {
      source,
      keys,
      isDryRun: dryRun,
      bodies,
    });
    const existing = done.filter(({ isKnown }) => isKnown).length;
    return {
      dryRun,
      imported: done.length - existing,
      existing,
      tokens: dryRun ? [] : done.map(({ tokenId, isKnown }) => new ImportResult(tokenId, isKnown)),
      errors: errors.flatMap(complaintsOf).slice(0, MAX_ERRORS),
    };
  }

  @Get()
  @UsePipes(validationPipe('refused'))
  @RequireScopes(PATOIS, 'patois:tokens.read')
  @ApiOperation({
    operationId: 'listImports',
    summary: 'Lists imported tokens',
    description: 'Paginated. All filters that are given must match.',
  })
  async list(@Caller() caller: Principal, @Query() query: ListImportsQuery): Promise<ImportedTokenPage> {
    const { rows, nextCursor } = await this.imports.list(caller, query);
    return new ImportedTokenPage(rows, nextCursor);
  }

  @Get('summary')
  @RequireScopes(PATOIS, 'patois:tokens.read')
  @ApiOperation({
    operationId: 'getImportSummary',
    summary: 'Counts imported tokens by their source',
    description: 'Those whose values were used since the import, and those that wait for that.',
  })
  async summary(@Caller() caller: Principal): Promise<ImportSummary> {
    return new ImportSummary(await this.imports.summary(caller));
  }

  /** What is wrong with it, where it is not what it should be. */
  private async tokenOf(item: unknown, index: number): Promise<ImportedTokenBody | Refusal> {
    try {
      const body = await this.validated(item, ImportedTokenBody);
      if (body.visible) body.visible = await this.validatedUnder('visible', body.visible, VisiblePart);
      return body;
    } catch (error) {
      const refusal = ofBatch(error, index);
      if (refusal instanceof Refusal) return refusal;
      throw error;
    }
  }

  private async validatedUnder<Type>(key: string, item: unknown, type: new () => Type): Promise<Type> {
    try {
      return await this.validated(item, type);
    } catch (error) {
      throw error instanceof Refusal ? error.under([key]) : error;
    }
  }

  private async validated<Type>(item: unknown, type: new () => Type): Promise<Type> {
    return (await this.pipe.transform(item, { type: 'body', metatype: type })) as Type;
  }
}

/** @throws {Refusal} invalid for what is no list of 1 to 1,000. */
function listOf(tokens: unknown): unknown[] {
  if (Array.isArray(tokens) && tokens.length >= 1 && tokens.length <= MAX_TOKENS) return tokens;
  throw Refusal.ofField(['tokens'], 'isArray', `tokens must be a list of 1 to ${MAX_TOKENS}`);
}
