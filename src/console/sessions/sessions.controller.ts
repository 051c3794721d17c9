import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Post,
  Query,
  Req,
  Res,
  UsePipes,
} from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Caller } from '../../auth/caller.decorator.js';
import { PasswordAuthenticator } from '../../auth/password-authenticator.js';
import { Principal } from '../../auth/principal.js';
import { Public, RequireScopes } from '../../auth/require-scopes.decorator.js';
import { clearedSessionCookieHeader, sessionCookieHeader } from '../../auth/sessions/session-cookie.js';
import { Sessions } from '../../auth/sessions/sessions.js';
import { CONFIG, type Config } from '../../config.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { validationPipe } from '../../http/validation/validation-pipe.js';
import { ListQuery } from '../../native/list.dto.js';
import { PATOIS } from '../../native/patois.scopes.js';
import { Problem } from '../../native/problem.dto.js';
import { Refusal } from '../../refusal.js';
import { CreateSession, Session, SessionPage } from './sessions.dto.js';

const CURRENT = 'current';
const SESSION_ID = {
  name: 'id',
  description: 'The uuid; `current` for the session by which the call is made.',
  example: '7f0c8a52-5b0e-4a3c-9d0f-0b3c7c1e2a44',
};

/** Signing in and out, of browsers. */
@ApiTags('sessions')
@ApiRefusals(Problem, { 400: 'Bad input', 401: 'No valid credential' })
@Controller('patois/v1/sessions')
@UsePipes(validationPipe('refused'))
export class SessionsController {
  constructor(
    private readonly sessions: Sessions,
    private readonly passwords: PasswordAuthenticator,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Post()
  @HttpCode(201)
  @Public()
  @ApiOperation({
    operationId: 'createSession',
    summary: 'Signs a user in by login and password',
    description:
      'The answer sets a cookie, which is the credential of later calls below `/patois/v1` that have `X-Requested-With`. It counts for 12 hours, and an hour after its last use; of one user there are 50 at most, and the oldest ends when one more begins. It ends as well when the user is disabled or deleted, or gets another password or role. A token in place of the password is refused. Failed ones count as failed logins.',
  })
  @ApiRefusals(Problem, { 401: 'Login or password is wrong', 429: 'Too many failed logins' })
  async create(
    @Body() { login, password }: CreateSession,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Session> {
    const { origin } = request.patois;
    const user = await this.passwords.signIn({ login, secret: password }, origin);
    const { session, value } = await this.sessions.begin(user, { provider: null, origin });
    reply.header('set-cookie', sessionCookieHeader(request, this.config, value));
    return new Session(session, session.id);
  }

  @Get()
  @RequireScopes(PATOIS)
  @ApiOperation({
    operationId: 'listSessions',
    summary: "Lists the caller's own sessions, newest first",
    description: 'Those that have not ended. Paginated. Not for calls with a token.',
  })
  @ApiRefusals(Problem, { 403: 'Called with a token' })
  async list(@Caller() caller: Principal, @Query() { cursor, limit }: ListQuery): Promise<SessionPage> {
    assertInPerson(caller);
    const { rows, nextCursor } = await this.sessions.list(caller.user.id, cursor, limit);
    return new SessionPage(rows, nextCursor, caller.session?.id);
  }

  @Delete(':id')
  @HttpCode(204)
  @RequireScopes(PATOIS)
  @ApiOperation({
    operationId: 'deleteSession',
    summary: "Ends one of the caller's own sessions",
    description:
      'At once, on every replica: no change that it has asked for is made afterwards. The answer takes the cookie of the current one away. Not for calls with a token.',
  })
  @ApiParam(SESSION_ID)
  @ApiRefusals(Problem, {
    403: 'Called with a token, or by a page of another site',
    404: 'The session does not exist or is not one of the caller',
  })
  async delete(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    assertInPerson(caller);
    const { user, session, actor } = caller;
    const wanted = id === CURRENT ? (session?.id ?? id) : id;
    await this.sessions.end(wanted, user.id, actor);
    if (wanted === session?.id) reply.header('set-cookie', clearedSessionCookieHeader(request, this.config));
  }
}

/** @throws {Refusal} forbidden for a token: it is of a program, and says nothing of who sits at a browser. */
function assertInPerson({ token }: Principal): void {
  if (!token) return;
  const message = 'Sessions are those of people, not for tokens';
  throw new Refusal('forbidden', { reason: 'role', message });
}
