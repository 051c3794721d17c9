import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, UsePipes } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { Caller } from '../../auth/caller.decorator.js';
import { Principal } from '../../auth/principal.js';
import { RequireScopes } from '../../auth/require-scopes.decorator.js';
import { ApiRefusals } from '../../http/refusals/api-refusals.decorator.js';
import { validationPipe } from '../../http/validation/validation-pipe.js';
import { ListQuery } from '../../native/list.dto.js';
import { PATOIS } from '../../native/patois.scopes.js';
import { Problem } from '../../native/problem.dto.js';
import {
  CreateNoticeChannel,
  ListDeliveriesQuery,
  NoticeChannel,
  NoticeChannelPage,
  NoticeChannelWithSecret,
  NoticeDelivery,
  NoticeDeliveryPage,
  RotateNoticeSecret,
  UpdateNoticeChannel,
} from './notices.dto.js';
import { NoticeAdministrationService } from './notices.service.js';

const READ = 'patois:users.read';
/** What is told of tokens shows tokens. */
const READ_TOKENS = 'patois:tokens.read';
const WRITE = 'patois:users.write';
const NO_CHANNEL = { 404: 'The channel does not exist or is not visible to the caller' };
const CHANNEL_ID = {
  name: 'id',
  description: 'The uuid of the channel.',
  example: '5e0b6f0c-0a51-4f0e-8f6e-3f8b1d6a7c21',
};
const DELIVERY_ID = {
  name: 'deliveryId',
  description: 'The uuid of the delivery.',
  example: '9c0f2c3e-2f4b-4c36-8f0a-6b7d1f2e3a4b',
};
const DECIDES =
  'A token needs `patois:tokens.read` as well, and must have neither CIDR blocks nor an expiry: what it sets up is told for ever.';

/** Who is told of what happens to tokens and policies. */
@ApiTags('notices')
@ApiRefusals(Problem, { 400: 'Bad input', 401: 'No valid credential', 403: 'Not allowed to this caller' })
@Controller('patois/v1/notice-channels')
@UsePipes(validationPipe('refused'))
export class NoticesController {
  constructor(private readonly notices: NoticeAdministrationService) {}

  @Post()
  @HttpCode(201)
  @RequireScopes(PATOIS, WRITE)
  @ApiOperation({
    operationId: 'createNoticeChannel',
    summary: 'Creates a channel for notices',
    description: `For administrators, and administrators of the organization. The secret that signs the notices of a webhook is in this answer alone. ${DECIDES}`,
  })
  @ApiRefusals(Problem, { 409: 'The organization has as many channels as it may' })
  async create(
    @Caller() caller: Principal,
    @Body() body: CreateNoticeChannel,
  ): Promise<NoticeChannelWithSecret> {
    const { channel, secret } = await this.notices.create(caller, body);
    return new NoticeChannelWithSecret(channel, secret);
  }

  @Get()
  @RequireScopes(PATOIS, READ)
  @ApiOperation({
    operationId: 'listNoticeChannels',
    summary: 'Lists the channels for notices, newest first',
    description: 'Paginated. Lists those that the caller administers.',
  })
  async list(@Caller() caller: Principal, @Query() query: ListQuery): Promise<NoticeChannelPage> {
    const { rows, nextCursor } = await this.notices.list(caller, query);
    return new NoticeChannelPage(rows, nextCursor);
  }

  @Get(':id')
  @RequireScopes(PATOIS, READ)
  @ApiOperation({
    operationId: 'getNoticeChannel',
    summary: 'Gets a channel for notices',
    description: 'Without its secret.',
  })
  @ApiParam(CHANNEL_ID)
  @ApiRefusals(Problem, NO_CHANNEL)
  async get(@Caller() caller: Principal, @Param('id') id: string): Promise<NoticeChannel> {
    return new NoticeChannel(await this.notices.get(caller, id));
  }

  @Patch(':id')
  @RequireScopes(PATOIS, WRITE)
  @ApiOperation({
    operationId: 'updateNoticeChannel',
    summary: 'Updates a channel for notices; omitted keys keep their values',
    description: `What waits for it is sent at once, or, where it is disabled, given up. ${DECIDES} To disable it takes neither.`,
  })
  @ApiParam(CHANNEL_ID)
  @ApiRefusals(Problem, NO_CHANNEL)
  async update(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body() body: UpdateNoticeChannel,
  ): Promise<NoticeChannel> {
    return new NoticeChannel(await this.notices.update(caller, id, body));
  }

  @Delete(':id')
  @HttpCode(204)
  @RequireScopes(PATOIS, WRITE)
  @ApiOperation({
    operationId: 'deleteNoticeChannel',
    summary: 'Deletes a channel for notices',
    description: 'What waits for it is not sent, and what was sent is not listed any more.',
  })
  @ApiParam(CHANNEL_ID)
  @ApiRefusals(Problem, NO_CHANNEL)
  async delete(@Caller() caller: Principal, @Param('id') id: string): Promise<void> {
    await this.notices.delete(caller, id);
  }

  @Post(':id/secret')
  @HttpCode(200)
  @RequireScopes(PATOIS, WRITE)
  @ApiOperation({
    operationId: 'rotateNoticeSecret',
    summary: 'Gives a webhook a new secret',
    description: `The secret is in this answer alone. For \`graceSeconds\` notices are signed with both, the new one first. ${DECIDES}`,
  })
  @ApiParam(CHANNEL_ID)
  @ApiRefusals(Problem, { ...NO_CHANNEL, 409: 'The channel is not a webhook' })
  async rotateSecret(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Body() { graceSeconds }: RotateNoticeSecret,
  ): Promise<NoticeChannelWithSecret> {
    const { channel, secret } = await this.notices.rotateSecret(caller, id, graceSeconds);
    return new NoticeChannelWithSecret(channel, secret);
  }

  @Post(':id/test')
  @HttpCode(202)
  @RequireScopes(PATOIS, WRITE)
  @ApiOperation({
    operationId: 'testNoticeChannel',
    summary: 'Sends a notice that says nothing',
    description:
      'As all notices, after the answer and after those that wait; these are sent at once. What becomes of it is in the list of deliveries.',
  })
  @ApiParam(CHANNEL_ID)
  @ApiRefusals(Problem, { ...NO_CHANNEL, 409: 'The channel is disabled' })
  async test(@Caller() caller: Principal, @Param('id') id: string): Promise<NoticeDelivery> {
    return new NoticeDelivery(await this.notices.test(caller, id));
  }

  @Get(':id/deliveries')
  @RequireScopes(PATOIS, READ_TOKENS)
  @ApiOperation({
    operationId: 'listNoticeDeliveries',
    summary: 'Lists what was or is to be sent to a channel, newest first',
    description: 'Paginated. Kept for 30 days.',
  })
  @ApiParam(CHANNEL_ID)
  @ApiRefusals(Problem, NO_CHANNEL)
  async deliveries(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Query() query: ListDeliveriesQuery,
  ): Promise<NoticeDeliveryPage> {
    const { rows, nextCursor } = await this.notices.deliveries(caller, id, query);
    return new NoticeDeliveryPage(rows, nextCursor);
  }

  @Post(':id/deliveries/:deliveryId/redeliver')
  @HttpCode(202)
  @RequireScopes(PATOIS, WRITE)
  @ApiOperation({
    operationId: 'redeliverNotice',
    summary: 'Sends a notice again',
    description:
      'One that was delivered or given up, under the same id, behind all that waits. A token needs `patois:tokens.read` as well, for the answer shows the notice.',
  })
  @ApiParam(CHANNEL_ID)
  @ApiParam(DELIVERY_ID)
  @ApiRefusals(Problem, {
    404: 'The channel or delivery does not exist or is not visible to the caller',
    409: 'The notice is on its way, or the channel is disabled',
  })
  async redeliver(
    @Caller() caller: Principal,
    @Param('id') id: string,
    @Param('deliveryId') deliveryId: string,
  ): Promise<NoticeDelivery> {
    return new NoticeDelivery(await this.notices.redeliver(caller, id, deliveryId));
  }
}
