import { Controller, Get, Header, Inject, Param, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { randomBytes } from 'node:crypto';
import { Public } from '../../auth/require-scopes.decorator.js';
import { sessionCookieOf } from '../../auth/sessions/session-cookie.js';
import { CONFIG, type Config } from '../../config.js';
import { Refusal } from '../../refusal.js';
import { ConsoleFiles, formFor } from './console-files.js';

/** What console/vite.config.ts lets the build write in place of a nonce. */
const NONCE_PLACEHOLDER = 'NONCE_OF_THE_ANSWER';
/** What console/index.html has where the page learns whether it need ask who is signed in. */
const SESSION_PLACEHOLDER = 'SESSION_OF_THE_REQUEST';
const YEAR_SECONDS = 31_536_000;

/**
 * The page may run and load what this server has, and ask this server; nobody may frame it. The nonce is for style sheets
 * that the component library writes; a script is never let in by one.
 */
function policyOf(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** The web application as it was built: one page for every address of it, and the files that the page loads. */
@ApiExcludeController()
@Controller('console')
export class AssetsController {
  private known: ConsoleFiles | undefined;

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  @Get()
  @Public()
  start(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): string {
    return this.page(request, reply);
  }

  @Get('assets/:file')
  @Public()
  @Header('cache-control', `public, max-age=${YEAR_SECONDS}, immutable`)
  @Header('vary', 'accept-encoding')
  asset(
    @Param('file') name: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Buffer {
    const file = this.files.find(name);
    if (!file) throw new Refusal('notFound', { message: 'No such file' });
    const { coding, body } = formFor(file, String(request.headers['accept-encoding'] ?? ''));
    if (coding !== 'identity') reply.header('content-encoding', coding);
    reply.header('content-type', file.type);
    return body;
  }

  /** The application reads the path itself. */
  @Get('*')
  @Public()
  anyPage(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): string {
    return this.page(request, reply);
  }

  private page(request: FastifyRequest, reply: FastifyReply): string {
    const { page } = this.files;
    if (page === undefined) throw new Refusal('notFound', { message: 'The console was not built' });
    const nonce = randomBytes(16).toString('base64url');
    reply.headers({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policyOf(nonce),
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
    });
    const session = sessionCookieOf(request, this.config) === undefined ? 'none' : 'present';
    return page.replaceAll(NONCE_PLACEHOLDER, nonce).replace(SESSION_PLACEHOLDER, session);
  }

  /** Read when first asked for: a start does not wait for them. */
  private get files(): ConsoleFiles {
    return (this.known ??= ConsoleFiles.read());
  }
}
