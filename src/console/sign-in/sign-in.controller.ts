import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from '../../auth/require-scopes.decorator.js';
import { sessionCookieHeader } from '../../auth/sessions/session-cookie.js';
import { Sessions } from '../../auth/sessions/sessions.js';
import { CONFIG, type Config } from '../../config.js';
import { FailedSignIns } from './failed-sign-ins.js';
import { ProviderClients } from './provider-clients.js';
import { SIGN_IN_PAGE } from './return-to.js';
import { SignIns } from './sign-ins.js';

/** The way to an identity provider and back. Both are steps of a browser: what they answer is where to go next. */
@ApiExcludeController()
@Controller('console/sign-in')
export class SignInController {
  /** The path that clients know this server below. */
  private readonly base: string;

  constructor(
    private readonly clients: ProviderClients,
    private readonly signIns: SignIns,
    private readonly sessions: Sessions,
    private readonly failed: FailedSignIns,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    const { publicUrl } = config;
    this.base = publicUrl === undefined ? '' : new URL(publicUrl).pathname.replace(/\/$/, '');
  }

  @Get(':provider')
  @Public()
  async begin(
    @Param('provider') name: string,
    @Query('returnTo') returnTo: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const client = this.clients.find(name);
    try {
      const { location, cookie } = await this.signIns.begin(client, returnTo);
      redirect(reply, location, cookie);
    } catch (error) {
      this.fail(error, name, request, reply);
    }
  }

  @Get(':provider/callback')
  @Public()
  async callback(
    @Param('provider') name: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const client = this.clients.find(name);
    try {
      const { user, returnTo, forget } = await this.signIns.finish(client, request);
      const { value } = await this.sessions.begin(user, { provider: name, origin: request.patois.origin });
      redirect(reply, this.base + returnTo, forget, sessionCookieHeader(request, this.config, value));
    } catch (error) {
      this.fail(error, name, request, reply);
    }
  }

  private fail(error: unknown, provider: string, { patois }: FastifyRequest, reply: FastifyReply): void {
    const told = this.failed.record(error, provider, patois.origin);
    redirect(reply, `${this.base}${SIGN_IN_PAGE}?error=${told}`);
  }
}

function redirect(reply: FastifyReply, location: string, ...cookies: string[]): void {
  reply.status(303).header('location', location);
  if (cookies.length > 0) reply.header('set-cookie', cookies);
}
