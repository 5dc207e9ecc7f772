// Holds every Apex class against Salesforce's own rules (PMD, as its Code Analyzer brings it). Wants Java 11 or newer.
// Prints what they find, and ends with 1 when something is moderate or worse.
import { CodeAnalyzer, CodeAnalyzerConfig, SeverityLevel } from '@salesforce/code-analyzer-core';
import { createEnginePlugin } from '@salesforce/code-analyzer-pmd-engine';
import path from 'node:path';

const folder = path.resolve(import.meta.dirname, process.argv[2] ?? 'force-app/main/default/classes');
const analyzer = new CodeAnalyzer(CodeAnalyzerConfig.fromObject({ config_root: folder }));
await analyzer.addEnginePlugin(createEnginePlugin());
const workspace = await analyzer.createWorkspace([folder]);
const rules = await analyzer.selectRules(['pmd:Apex'], { workspace });
const found = (await analyzer.run(rules, { workspace })).getViolations();
const bad = found.filter((one) => one.getRule().getSeverityLevel() <= SeverityLevel.Moderate);
for (const one of bad) {
    const place = one.getPrimaryLocation();
    console.log(`${path.basename(place.getFile())}:${place.getStartLine()} ${one.getRule().getName()}: ${one.getMessage()}`);
}
console.log(`${rules.getCount()} rules, ${bad.length} findings, ${found.length - bad.length} remarks`);
process.exit(bad.length || !rules.getCount() ? 1 : 0);
