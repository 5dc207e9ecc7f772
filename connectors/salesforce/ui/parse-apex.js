// Parses every Apex class; prints what is wrong and ends with 1 when something is.
const fs = require('fs');
const path = require('path');

const folder = path.join(__dirname, process.argv[2] || 'force-app/main/default/classes');

async function main() {
  const { ApexParserFactory, ApexErrorListener } = await import('@apexdevtools/apex-parser');
  class Listener extends ApexErrorListener {
    apexSyntaxError(line, column, message) {
      problems.push(`${line}:${column} ${message}`);
    }
  }
  const problems = [];
  const files = fs.readdirSync(folder).filter((name) => name.endsWith('.cls'));
  for (const name of files) {
    const parser = ApexParserFactory.createParser(fs.readFileSync(path.join(folder, name), 'utf-8'));
    parser.removeErrorListeners();
    parser.addErrorListener(new Listener());
    parser.compilationUnit();
  }
  problems.forEach((one) => console.log(one));
  console.log(`${files.length} classes parsed`);
  process.exit(problems.length || !files.length ? 1 : 0);
}

main();
