/**
 * The resource that a scope belongs to. `all.User` covers the scopes of its own group only (decided here).
 */
type ScopeGroup = 'application' | 'organization' | 'instance' | 'user';

/**
 * The published scope names, in the groups of the property `scope` in
 * https://github.com/Losant/losant-rest-js/blob/v4.2.0/lib/schemas/apiTokenPost.json
 * A line `resource: a b` stands for `resource.a` and `resource.b`; a line without a colon lists whole names.
 */
const PUBLISHED: Record<ScopeGroup, string> = {
  application: `
    all.Application all.Application.bounded all.Application.read all.Application.cli all.Device all.Device.read
    application: * applyTemplate archiveData backfillArchiveData clone export import fullEventsArchive fullDataTablesArchive debug delete get mqttPublishMessage mqttSubscriptionStream patch payloadCounts payloadCountsBreakdown deviceCounts notebookMinuteCounts search importLogs
    applicationApiToken: * delete get patch
    applicationApiTokens: * get post
    applicationCertificate: * delete get patch
    applicationCertificates: * get post
    applicationCertificateAuthority: * delete get patch
    applicationCertificateAuthorities: * get post
    applicationDashboards: * get post
    applicationDashboard: * get patch sendReport delete
    applicationJobLogs: * get
    applicationJobLog: * get
    applicationKey: * delete get patch
    applicationKeys: * get post
    credential: * get linkedResources patch delete
    credentials: * get post
    data: * export lastValueQuery timeSeriesQuery
    dataTable: * addColumn delete get patch removeColumn
    dataTables: * get post
    dataTableRow: * delete get patch
    dataTableRows: * get post query export delete truncate
    device: * agentLogs commandStream debug delete export get getCommand getCompositeState getLogEntries getState patch payloadCounts payloadCountsBreakdown removeData sendCommand sendState setConnectionStatus stateStream
    deviceRecipe: * bulkCreate delete get patch
    deviceRecipes: * get post
    devices: * attributeNames patch delete restore removeData deviceNames export get getCompositeState historicalImport payloadCounts post sendCommand tagKeys tagValues
    deviceAttribute: * get patch delete
    deviceAttributes: * get post
    edgeDeployment: * get
    edgeDeployments: * get release remove replace
    embeddedDeployment: * get
    embeddedDeployments: * get release remove replace export
    event: * delete get patch
    events: * delete detailedSummary get mostRecentBySeverity patch post export
    experience: * delete bootstrap
    experienceDomain: * delete get patch
    experienceDomains: * get post
    experienceEndpoint: * delete get linkedResources patch
    experienceEndpoints: * get post stats
    experienceGroup: * delete get patch
    experienceGroups: * detailedSummary get post
    experienceSlug: * delete get patch
    experienceSlugs: * get post
    experienceUser: * delete get patch
    experienceUsers: * detailedSummary get post
    experienceVersion: * delete get patch
    experienceVersions: * get post
    experienceView: * debug delete get linkedResources patch
    experienceViews: * debug detailedSummary get post
    integration: * delete get patch
    integrations: * get post
    file: * get patch move delete upload
    files: * get post
    flow: * clearStorageEntries debug delete errors get getStorageEntries log patch pressVirtualButton setStorageEntry getStorageEntriesMetadata stats suggestFunction
    flows: * get getByVersion import palette post
    flowVersion: * delete debug errors get log patch stats
    flowVersions: * delete get post
    notebook: * delete execute get logs notebookMinuteCounts patch requestInputDataExport upload
    notebooks: * get post
    privateFile: * get patch move delete upload
    privateFiles: * get post
    resourceJobs: * get post
    resourceJob: * get logs patch delete execute cancelExecution
    webhook: * delete get patch
    webhooks: * get post
  `,
  organization: `
    all.Organization all.Organization.bounded all.Organization.read only.Organization only.Organization.bounded only.Organization.read
    applications: * get post import detailedSummary periodSummaries
    auditLog: * get
    auditLogs: * get
    dashboard: * patch delete sendReport suggestCode
    dashboards: * get post
    org: * get patch delete pendingInvites inviteMember revokeInvite modifyMember removeMember payloadCounts payloadCountsBreakdown deviceCounts notebookMinuteCounts invoices currentCard transferResources
  `,
  instance: `
    all.Instance all.Instance.bounded all.Instance.read
    instance: * get patch historicalSummaries generateReport payloadCounts payloadCountsBreakdown deviceCounts notebookMinuteCounts
    instanceOrg: * get patch delete payloadCounts payloadCountsBreakdown deviceCounts notebookMinuteCounts convertToEnterprise
    instanceOrgs: * get post
    instanceMember: * get patch delete
    instanceMembers: * get post
    instanceOrgMember: * get patch delete
    instanceOrgMembers: * get post
    instanceOrgInvite: * get delete resendInvite
    instanceOrgInvites: * get post
    instanceApiTokens: * get post
    instanceApiToken: * get patch delete
    instanceCustomNodes: * get post
    instanceCustomNode: * get patch delete errors stats
    instanceNotificationRules: * get post
    instanceNotificationRule: * get patch delete evaluate logs
    instanceSandbox: * get delete undelete payloadCounts payloadCountsBreakdown deviceCounts notebookMinuteCounts
    instanceSandboxes: * get
    instanceAuditLog: * get
    instanceAuditLogs: * get
  `,
  user: `
    all.User all.User.bounded all.User.read all.User.cli only.User only.User.bounded only.User.read
    userApiToken: * get patch delete
    userApiTokens: * get post
    userOauthToken: * get patch delete
    userOauthTokens: * get post
    applicationTemplate: * get
    applicationTemplates: * get getCategories getUniqueKeywords
    instances: * get
    me: * get patch delete verifyEmail changePassword generateTwoFactorAuth enableTwoFactorAuth disableTwoFactorAuth disconnectGithub connectGithub addRecentItem fetchRecentItems payloadCounts payloadCountsBreakdown deviceCounts notebookMinuteCounts transferResources invite invites respondToInvite refreshToken
    orgs: * get post
  `,
};

const APPLICATION_SCOPES = namesIn(PUBLISHED.application);
const ORGANIZATION_SCOPES = namesIn(PUBLISHED.organization);
const INSTANCE_SCOPES = namesIn(PUBLISHED.instance);
const USER_SCOPES = namesIn(PUBLISHED.user);

/** Every scope that a token can hold. */
export const SCOPES: ReadonlySet<string> = new Set([
  ...APPLICATION_SCOPES,
  ...ORGANIZATION_SCOPES,
  ...INSTANCE_SCOPES,
  ...USER_SCOPES,
]);

/** Scopes over all of a user, each of which is enough to read the tokens. */
const READERS = [
  'all.User',
  'all.User.bounded',
  'all.User.read',
  'only.User',
  'only.User.bounded',
  'only.User.read',
];
const CHANGERS = ['all.User', 'only.User'];

/**
 * For each operation the scopes of which any one is enough: "The token must include at least one of the
 * following scopes" on the pages of the operations,
 * https://github.com/Losant/losant-rest-js/blob/v4.2.0/docs/userApiTokens.md
 * https://github.com/Losant/losant-rest-js/blob/v4.2.0/docs/userApiToken.md
 */
export const OPERATIONS = {
  'userApiTokens.get': [...READERS, 'userApiTokens.*', 'userApiTokens.get'],
  'userApiTokens.post': [...CHANGERS, 'userApiTokens.*', 'userApiTokens.post'],
  'userApiToken.get': [...READERS, 'userApiToken.*', 'userApiToken.get'],
  'userApiToken.patch': [...CHANGERS, 'userApiToken.*', 'userApiToken.patch'],
  'userApiToken.delete': [...CHANGERS, 'userApiToken.*', 'userApiToken.delete'],
} as const satisfies Record<string, readonly string[]>;

/**
 * Whether whoever holds the scope `held` may use `needed` or give it to a new token: `all.User` covers its
 * whole group and `all.User.read` the `.get` scopes of it, `x.*` covers `x.y`, and a scope that is enough for
 * one of the operations above covers that operation's own scope. No source says which scopes a token may
 * give: decided here.
 */
export function covers(held: string, needed: string): boolean {
  if (held === needed) return true;
  if (held === 'all.User') return USER_SCOPES.has(needed);
  if (held === 'all.User.read' && needed.endsWith('.get')) return USER_SCOPES.has(needed);
  if (held.endsWith('.*')) return SCOPES.has(needed) && needed.startsWith(held.slice(0, -1));
  return passes(held, needed);
}

function passes(held: string, operation: string): boolean {
  const enough: readonly string[] = Object.hasOwn(OPERATIONS, operation)
    ? OPERATIONS[operation as keyof typeof OPERATIONS]
    : [];
  return enough.includes(held);
}

function namesIn(published: string): ReadonlySet<string> {
  const lines = published.split('\n').map((line) => line.trim());
  return new Set(lines.filter((line) => line !== '').flatMap(namesOf));
}

function namesOf(line: string): string[] {
  const [, resource, words = line] = /^(\w+): (.*)$/.exec(line) ?? [];
  const names = words.split(' ');
  return resource === undefined ? names : names.map((name) => `${resource}.${name}`);
}
