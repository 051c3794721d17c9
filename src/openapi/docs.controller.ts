import { Controller, Get, Header, Inject, Param, StreamableFile } from '@nestjs/common';
import {
  ApiExcludeEndpoint,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
  type OpenAPIObject,
} from '@nestjs/swagger';
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Public } from '../auth/require-scopes.decorator.js';
import { CONFIG, type Config } from '../config.js';
import { ApiRefusals } from '../http/refusals/api-refusals.decorator.js';
import { Problem } from '../native/problem.dto.js';
import { DialectRegistry } from '../protocol/dialect-registry.js';
import { Refusal } from '../refusal.js';
import { documentPage, indexPage, PAGE_POLICY, PAGE_SCRIPT, PAGE_STYLE } from './docs.pages.js';
import { readDocuments } from './documents.js';

const SWAGGER_UI = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
const JAVASCRIPT = 'text/javascript; charset=utf-8';
const CSS = 'text/css; charset=utf-8';

/** All that the pages load; nothing comes from elsewhere. */
const ASSETS: Record<string, () => StreamableFile> = {
  'page.css': () => new StreamableFile(Buffer.from(PAGE_STYLE), { type: CSS }),
  'page.js': () => new StreamableFile(Buffer.from(PAGE_SCRIPT), { type: JAVASCRIPT }),
  'swagger-ui.css': () => ofSwaggerUi('swagger-ui.css', CSS),
  'swagger-ui-bundle.js': () => ofSwaggerUi('swagger-ui-bundle.js', JAVASCRIPT),
};

const DOCUMENT = {
  description: 'An OpenAPI 3.1 document',
  schema: { type: 'object', example: { openapi: '3.1.0' } },
};

/** The OpenAPI documents as they are checked in, and pages to read them. */
@ApiTags('operations')
@Controller('docs')
export class DocsController {
  private documents: Map<string, OpenAPIObject> | undefined;

  constructor(
    private readonly registry: DialectRegistry,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get()
  @Public()
  @ApiExcludeEndpoint()
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', PAGE_POLICY)
  index(): string {
    return indexPage([...this.all()].map(([name, { info }]) => ({ name, title: info.title })));
  }

  @Get('openapi.json')
  @Public()
  @ApiOperation({
    operationId: 'getOpenApi',
    summary: 'Gets this document',
    description: "The document of Patois' own API, for client generators.",
  })
  @ApiOkResponse(DOCUMENT)
  ownDocument(): OpenAPIObject {
    return this.find(this.registry.ownerOf('/').name);
  }

  @Get(':dialect')
  @Public()
  @ApiExcludeEndpoint()
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', PAGE_POLICY)
  page(@Param('dialect') name: string): string {
    return documentPage({ name, title: this.find(name).info.title });
  }

  @Get(':dialect/openapi.json')
  @Public()
  @ApiOperation({
    operationId: 'getDialectOpenApi',
    summary: 'Gets the document of a dialect',
    description: 'One document per dialect, for client generators.',
  })
  @ApiParam({ name: 'dialect', description: 'The name of a dialect.', example: 'panther' })
  @ApiOkResponse(DOCUMENT)
  @ApiRefusals(Problem, { 404: 'There is no such dialect' })
  document(@Param('dialect') name: string): OpenAPIObject {
    return this.find(name);
  }

  @Get('assets/:file')
  @Public()
  @ApiExcludeEndpoint()
  @Header('cache-control', 'public, max-age=3600')
  asset(@Param('file') file: string): StreamableFile {
    const make = Object.hasOwn(ASSETS, file) ? ASSETS[file] : undefined;
    if (!make) throw new Refusal('notFound', { message: 'No such file' });
    return make();
  }

  private find(name: string): OpenAPIObject {
    const document = this.all().get(name);
    if (!document) throw new Refusal('notFound', { message: 'No such API document' });
    return document;
  }

  /** Read when first asked for: a start does not wait for them. */
  private all(): Map<string, OpenAPIObject> {
    this.documents ??= readDocuments(this.config.publicUrl);
    return this.documents;
  }
}

function ofSwaggerUi(name: string, type: string): StreamableFile {
  return new StreamableFile(createReadStream(join(SWAGGER_UI, name)), { type });
}
