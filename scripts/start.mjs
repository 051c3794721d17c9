// Builds Patois where its sources are newer than what was built, and starts it in this very process.
import './build-if-stale.mjs';

await import('../dist/server/main.js');
