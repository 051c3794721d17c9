import type { ScopeRules } from '../../protocol/dialect.js';

/**
 * Every permission a token can hold: the values of `permissions` in the published schema `ModifyAPIToken`,
 * https://docs.panther.com/panther-developer-workflows/api/rest/api-tokens
 */
export const PERMISSIONS = [
  'AIRunAsModify',
  'AlertModify',
  'AlertRead',
  'BulkUpload',
  'BulkUploadValidate',
  'CloudsecSourceModify',
  'CloudsecSourceRead',
  'DataAnalyticsModify',
  'DataAnalyticsRead',
  'DestinationModify',
  'DestinationRead',
  'GeneralSettingsModify',
  'GeneralSettingsRead',
  'LogSourceModify',
  'LogSourceRawDataRead',
  'LogSourceRead',
  'LookupModify',
  'LookupRead',
  'ManageAIResponses',
  'ManageAISkills',
  'ManageScheduledPrompts',
  'McpServerModify',
  'McpServerRead',
  'NotificationsSend',
  'OrganizationAPITokenModify',
  'OrganizationAPITokenRead',
  'PolicyModify',
  'PolicyRead',
  'ResourceModify',
  'ResourceRead',
  'RuleModify',
  'RuleRead',
  'RunPantherAI',
  'SummaryRead',
  'UserModify',
  'UserRead',
  'ViewAIPrivateResponses',
  'ViewAISkills',
  'ViewScheduledPrompts',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

export const SCOPES: ScopeRules = {
  vocabulary: PERMISSIONS,
  isKnown: (scope) => PERMISSIONS.includes(scope as Permission),
  // The page asks for "Read API Token Info" and "Manage API Tokens" separately: Modify does not cover Read.
  covers: () => false,
};
