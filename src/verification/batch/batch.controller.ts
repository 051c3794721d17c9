import { Body, Controller, HttpCode, Inject, Post, Req, type StreamableFile } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { setImmediate } from 'node:timers/promises';
import { RequireScopes } from '../../auth/require-scopes.decorator.js';
import { CONFIG, type Config } from '../../config.js';
import type { Decision } from '../../decisions/decision.js';
import { DecisionService } from '../../decisions/decision.service.js';
import { publicUrlOf } from '../../http/public-url.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { listOrStream } from '../../http/streamed-list.js';
import type { MaybePromise } from '../../maybe-promise.js';
import { Problem } from '../../native/problem.dto.js';
import { parseCallerAddress } from '../../network/addresses.js';
import { neededScopesOf } from '../needed-scopes.js';
import { VerificationAnswer, VerificationBatch, VerificationBatchAnswer } from './batch.dto.js';
import { readBatch } from './read-batch.js';

const MAX_TURN_MS = 10;
/** What is written in one turn: letters of scopes, which are nearly all of a long answer. */
const MAX_PORTION_LETTERS = 512 * 1024;

/** Many decisions for one request, for a caller who may know the reasons. */
@ApiTags('verification')
@ApiRefusals(Problem, { 400: 'Bad input', 401: 'No valid credential', 403: 'Not allowed to this caller' })
@Controller('patois/v1/verifications')
export class BatchController {
  constructor(
    private readonly decisions: DecisionService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Post()
  @HttpCode(200)
  @RequireScopes('patois', 'patois:introspect')
  @ApiOperation({
    operationId: 'verifyTokens',
    summary: 'Verifies 1 to 1000 tokens',
    description:
      '1 to 1,000 tokens; the results come in the order of the requests. For an inactive token, `reason` says why.',
  })
  @ApiBody({ type: VerificationBatch })
  @ApiOkResponse({ type: VerificationBatchAnswer })
  async verify(
    @Body() body: unknown,
    @Req() request: FastifyRequest,
  ): Promise<VerificationBatchAnswer | StreamableFile> {
    const issuer = publicUrlOf(request, this.config);
    const requests = readBatch(body).map(({ token, clientIp, scope }, index) => ({
      value: token,
      address: clientIp === undefined ? undefined : parseCallerAddress(clientIp),
      scopes: neededScopesOf(scope, ['verifications', String(index), 'scope']),
    }));
    const deciding: MaybePromise<Decision>[] = [];
    let turnBegan = performance.now();
    for (const asked of requests) {
      const one = this.decisions.decide(asked);
      deciding.push(one);
      // One that fails before all are awaited is no rejection that nobody handles.
      if (one instanceof Promise) one.catch(() => undefined);
      // Of tokens and needs of many scopes a thousand decisions take long: others have their turn in between.
      if (performance.now() - turnBegan > MAX_TURN_MS) {
        await setImmediate();
        turnBegan = performance.now();
      }
    }
    // A thousand promises that wait for nothing would cost as much as the decisions.
    const decisions = deciding.every(isDone) ? deciding : await Promise.all(deciding.map(async (one) => one));
    return listOrStream(answersOf(decisions, issuer), ['{"verifications":[', ']}'], (verifications) => ({
      verifications,
    }));
  }
}

/** The answers, in portions each of which is soon written. */
async function* answersOf(
  decisions: readonly Decision[],
  issuer: string,
): AsyncGenerator<VerificationAnswer[], void> {
  let portion: VerificationAnswer[] = [];
  let letters = 0;
  for (const decision of decisions) {
    const answer = new VerificationAnswer(decision, issuer);
    portion.push(answer);
    letters += answer.scope?.length ?? 0;
    if (letters <= MAX_PORTION_LETTERS) continue;
    yield portion;
    await setImmediate();
    portion = [];
    letters = 0;
  }
  if (portion.length > 0) yield portion;
}

function isDone(deciding: MaybePromise<Decision>): deciding is Decision {
  return !(deciding instanceof Promise);
}
