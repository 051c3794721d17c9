import { Module } from '@nestjs/common';
import { TokenLeaksModule } from '../../tokens/leaks/token-leaks.module.js';
import { TokensModule } from '../../tokens/tokens.module.js';
import { GitHubKeys } from './github-keys.js';
import { GitHubLeaksController } from './github-leaks.controller.js';
import { GitHubReportService } from './github-reports.service.js';
import { LeaksController } from './leaks.controller.js';
import { LeakReportService } from './leaks.service.js';

/** `/patois/v1/leaks`. */
@Module({
  imports: [TokenLeaksModule, TokensModule],
  controllers: [GitHubLeaksController, LeaksController],
  providers: [GitHubKeys, GitHubReportService, LeakReportService],
})
export class LeaksModule {}
