import { Body, Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { setImmediate } from 'node:timers/promises';
import { Needs } from '../access/needs.js';
import { publicUrlOf } from '../access/public-url.js';
import { Refuses } from '../access/refuses.js';
import type { Soon } from '../access/soon.js';
import { Problem } from '../administration/problem.dto.js';
import { CONFIG, type Config } from '../config.js';
import { parseCallerAddress } from '../tokens/cidr.js';
import { readBatch } from './batch.js';
import { Judge } from './judge.js';
import type { Judgement } from './judgement.js';
import { neededScopesOf } from './scopes.js';
import { VerificationAnswer, VerificationBatch, VerificationBatchAnswer } from './verification.dto.js';

const MAX_TURN_MS = 10;

/** Many verdicts for one request, for a caller who may know the reasons. */
@ApiTags('verification')
@Refuses(Problem, { 400: 'Bad input', 401: 'No valid credential', 403: 'Not allowed to this caller' })
@Controller('patois/v1/verifications')
export class VerificationController {
  constructor(
    private readonly judge: Judge,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Post()
  @HttpCode(200)
  @Needs('patois', 'patois:introspect')
  @ApiOperation({
    operationId: 'verifyTokens',
    summary: 'Verifies 1 to 1000 tokens',
    description: 'Up to 1,000 at once, answered in order; of an inactive one it says why.',
  })
  @ApiBody({ type: VerificationBatch })
  async verify(@Body() body: unknown, @Req() request: FastifyRequest): Promise<VerificationBatchAnswer> {
    const issuer = publicUrlOf(request, this.config);
    const questions = readBatch(body).map(({ token, clientIp, scope }, index) => ({
      value: token,
      address: clientIp === undefined ? undefined : parseCallerAddress(clientIp),
      scopes: neededScopesOf(scope, ['verifications', String(index), 'scope']),
    }));
    const judging: Soon<Judgement>[] = [];
    let turnBegan = performance.now();
    for (const question of questions) {
      const one = this.judge.judge(question);
      judging.push(one);
      // One that fails before all are awaited is no rejection that nobody handles.
      if (one instanceof Promise) one.catch(() => undefined);
      // Of tokens and needs of many scopes a thousand verdicts take long: others have their turn in between.
      if (performance.now() - turnBegan > MAX_TURN_MS) {
        await setImmediate();
        turnBegan = performance.now();
      }
    }
    // A thousand promises that wait for nothing would cost as much as the verdicts.
    const judgements = judging.every(isDone) ? judging : await Promise.all(judging.map(async (one) => one));
    const answers = judgements.map((judgement) => new VerificationAnswer(judgement, issuer));
    return { verifications: answers };
  }
}

function isDone(judging: Soon<Judgement>): judging is Judgement {
  return !(judging instanceof Promise);
}
