import { Body, Controller, Get, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PasswordAuthenticator } from '../../auth/password-authenticator.js';
import { Public } from '../../auth/require-scopes.decorator.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { Refusal } from '../../refusal.js';
import { readSignIn } from './quay.body.js';
import { CsrfToken, QuayError, SignedInOrOut, SignIn } from './quay.dto.js';
import { QuaySessions } from './quay.sessions.js';

// `QUAY_CSRF_UPDATED_HEADER_NAME`, https://github.com/quay/quay/blob/master/endpoints/csrf.py
const NEXT_CSRF_HEADER = 'x-next-csrf-token';
const COOKIE_HEADER = {
  'set-cookie': { description: 'The session, for ten minutes.', schema: { type: 'string' as const } },
};

/**
 * The first call of a client that logs in with a login and password: route `csrf_token` in endpoints/web.py,
 * and `authenticate` of the Ansible collection, which without an answer looks for the token in the page `/`:
 * https://github.com/redhat-cop/quay_configuration/blob/main/plugins/module_utils/api_module.py
 */
@ApiTags('session')
@Controller('csrf_token')
export class QuayCsrfController {
  constructor(private readonly sessions: QuaySessions) {}

  @Get()
  @Public()
  @ApiOperation({
    operationId: 'getCsrfToken',
    summary: 'Begins a session for signing in',
    description: 'The response sets a cookie. Send its `csrf_token` as `X-CSRF-Token` when signing in.',
  })
  @ApiOkResponse({ type: CsrfToken, headers: COOKIE_HEADER })
  begin(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): CsrfToken {
    const { csrfToken, cookie } = this.sessions.begin(request, null);
    reply.header('set-cookie', cookie);
    return { csrf_token: csrfToken };
  }
}

/**
 * Login and password once, then a cookie with a CSRF token in place of them: `Signin` and `Signout` in
 * https://github.com/quay/quay/blob/master/endpoints/api/user.py
 */
@ApiTags('session')
@Controller('api/v1')
export class QuaySessionController {
  constructor(
    private readonly sessions: QuaySessions,
    private readonly passwords: PasswordAuthenticator,
  ) {}

  @Post('signin')
  @HttpCode(200)
  @Public()
  @ApiOperation({
    operationId: 'signIn',
    summary: 'Signs in with a login and password',
    description:
      'Needs the cookie and, in `X-CSRF-Token`, the token of `GET /csrf_token`. From then on the new cookie and, in ' +
      '`X-CSRF-Token` of every call, the value of `X-Next-CSRF-Token` stand for login and password, for ten minutes.',
  })
  @ApiOkResponse({
    type: SignedInOrOut,
    headers: {
      ...COOKIE_HEADER,
      [NEXT_CSRF_HEADER]: { description: 'For `X-CSRF-Token` of what follows.', schema: { type: 'string' } },
    },
  })
  @ApiRefusals(QuayError, { 400: 'invalid_request', 401: 'invalid_token', 415: 'unsupported_media_type' })
  @ApiRefusals(QuayError, { 403: 'insufficient_scope: no session, or not its CSRF token' })
  async signIn(
    @Body({ transform: readSignIn }) { username, password }: SignIn,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SignedInOrOut> {
    // 403 without a session or its CSRF token, as `verify_csrf` in endpoints/csrf.py; the body is the one of
    // every 403 here.
    if (!this.sessions.read(request)) throw new Refusal('forbidden', { reason: 'csrf' });
    // A wrong password is 401 (decided here); `conduct_signin` answers 403 with `invalidCredentials`.
    const login = await this.passwords.begin({ login: username, secret: password }, request.patois.origin);
    const { csrfToken, cookie } = this.sessions.begin(request, login);
    // A new CSRF token in a header, 200 and `success`: `common_login` in
    // https://github.com/quay/quay/blob/master/endpoints/common.py
    reply.headers({ 'set-cookie': cookie, [NEXT_CSRF_HEADER]: csrfToken });
    return { success: true };
  }

  @Post('signout')
  @HttpCode(200)
  @Public()
  @ApiOperation({
    operationId: 'signOut',
    summary: 'Makes the client forget its session',
    description: 'The session itself is valid until its ten minutes are over.',
  })
  signOut(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): SignedInOrOut {
    // `Signout.post` ends all sessions of the user; here the client forgets its own (docs/dialects/quay.md).
    reply.header('set-cookie', this.sessions.end(request));
    return { success: true };
  }
}
