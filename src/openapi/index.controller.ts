import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from '../auth/require-scopes.decorator.js';
import { DialectRegistry } from '../protocol/dialect-registry.js';
import { PAGE_POLICY, welcomePage } from './docs.pages.js';

/** The page for people who open the server's address. */
@ApiExcludeController()
@Controller()
export class IndexController {
  constructor(private readonly registry: DialectRegistry) {}

  @Get()
  @Public()
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', PAGE_POLICY)
  index(): string {
    const own = this.registry.ownerOf('/').name;
    const apis = this.registry.all().filter(({ name }) => name !== own);
    return welcomePage(
      apis
        .sort((one, other) => (one.name < other.name ? -1 : 1))
        .map(({ name, description: { title }, mounts }) => ({ name, title, mounts })),
    );
  }
}
