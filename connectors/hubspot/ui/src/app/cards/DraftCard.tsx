// The card "Deal assistant": choose what to write, see it arrive with its evidence, edit, approve.

import {
  Alert,
  Button,
  ButtonRow,
  Divider,
  Flex,
  Heading,
  Input,
  List,
  LoadingSpinner,
  Select,
  Tag,
  Text,
  TextArea,
  hubspot,
} from '@hubspot/ui-extensions';
import { useEffect, useState } from 'react';

import { decide, readDraft, startDraft } from './server';
import type { Answer, Draft, Line, Problem } from './server';
import { KINDS, SUBJECTS, isSupported, isWaiting, mayApprove, say, sayProblem, shown } from './states';

// How soon it is asked again: text that arrives is looked for more often.
const AGAIN_MS: Record<string, number> = { writing: 800, approved: 1_500, writing_back: 1_500 };

interface Host {
  objectId: string;
  objectTypeId: string;
  copy: (text: string) => Promise<void>;
  refresh: () => void;
}

hubspot.extend<'crm.record.tab'>(({ context, actions }) => (
  <DraftCard
    objectId={String(context.crm.objectId)}
    objectTypeId={context.crm.objectTypeId}
    copy={(text) => actions.copyTextToClipboard(text)}
    refresh={() => actions.refreshObjectProperties()}
  />
));

function DraftCard(host: Host) {
  const [draft, setDraft] = useState<Draft | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);

  const take = (answer: Answer<Draft>) => {
    setBusy(false);
    if (answer.good) {
      setDraft(answer.value);
      setProblem(null);
      if (answer.value.status === 'written') host.refresh();
    } else {
      setProblem(answer.problem);
    }
  };

  useEffect(() => {
    if (draft === null || !isWaiting(draft)) return;
    const timer = setTimeout(() => void readDraft(draft.id).then(take), AGAIN_MS[draft.status]);
    return () => clearTimeout(timer);
  }, [draft]);

  const act = (call: Promise<Answer<Draft>>) => {
    setBusy(true);
    void call.then(take);
  };

  const start = (kind: string, instruction: string) => {
    const subject = SUBJECTS[host.objectTypeId] ?? 'deal_id';
    const wish = instruction.trim() ? { instruction: instruction.trim() } : {};
    act(startDraft({ kind, [subject]: host.objectId, key: newKey(), ...wish }));
  };

  return (
    <Flex direction="column" gap="medium">
      {problem && (
        <Alert title={sayProblem(problem).title} variant="danger">
          {sayProblem(problem).text}
        </Alert>
      )}
      <Chooser busy={busy} start={start} />
      {draft && <Divider />}
      {draft && <State draft={draft} busy={busy} act={act} />}
      {draft?.status === 'proposed' && <Proposed key={`${draft.id}/${draft.version}`} draft={draft} busy={busy} act={act} copy={host.copy} />}
    </Flex>
  );
}

function Chooser({ busy, start }: { busy: boolean; start: (kind: string, instruction: string) => void }) {
  const [kind, setKind] = useState('follow_up');
  const [instruction, setInstruction] = useState('');
  return (
    <Flex direction="column" gap="small">
      <Select label="What to write" name="kind" value={kind} options={KINDS} onChange={(value) => setKind(String(value))} />
      <Input label="Your wish (optional)" name="instruction" value={instruction} onChange={setInstruction} />
      <Button variant="primary" disabled={busy} onClick={() => start(kind, instruction)}>
        Write
      </Button>
    </Flex>
  );
}

function State({ draft, busy, act }: Omit<Actions, 'copy'>) {
  if (draft.status === 'writing') return <Writing draft={draft} busy={busy} act={act} />;
  if (draft.status === 'proposed') return null;
  const { title, text, variant } = say(draft);
  return (
    <Alert title={title} variant={variant}>
      {text}
    </Alert>
  );
}

function Writing({ draft, busy, act }: Omit<Actions, 'copy'>) {
  return (
    <Flex direction="column" gap="small">
      <Flex direction="row" gap="small" align="center">
        <LoadingSpinner label={say(draft).text} showLabel />
        <Button disabled={busy} onClick={() => act(decide(draft.id, 'stop', {}))}>
          Stop
        </Button>
      </Flex>
      {(draft.arriving ?? []).map((line, number) => (
        <Text key={number} format={lookOf(line)}>
          {line.text}
        </Text>
      ))}
    </Flex>
  );
}

const lookOf = ({ verdict }: Line): { italic: boolean; lineDecoration: 'none' | 'strikethrough' } => ({
  italic: verdict === null,
  lineDecoration: verdict === null || isSupported(verdict) ? 'none' : 'strikethrough',
});

interface Actions {
  draft: Draft;
  busy: boolean;
  act: (call: Promise<Answer<Draft>>) => void;
  copy: (text: string) => Promise<void>;
}

function Proposed({ draft, busy, act, copy }: Actions) {
  const [subject, setSubject] = useState(draft.subject ?? '');
  const [body, setBody] = useState(draft.body ?? '');
  const edited = subject !== (draft.subject ?? '') || body !== (draft.body ?? '');
  return (
    <Flex direction="column" gap="small">
      <Heading>{draft.to?.display_name ? `To ${draft.to.display_name}` : 'Internal note'}</Heading>
      {draft.warnings.map((warning) => (
        <Alert key={warning.code + warning.text} title={warning.text} variant="warning" />
      ))}
      <Input label="Subject" name="subject" value={subject} onInput={setSubject} />
      <TextArea label="Text" name="body" value={body} rows={12} onInput={setBody} />
      <ButtonRow>
        <Button variant="primary" disabled={busy || edited || !mayApprove(draft)} onClick={() => act(decide(draft.id, 'approve', { version: draft.version }))}>
          Approve
        </Button>
        <Button disabled={busy || !edited} onClick={() => act(decide(draft.id, 'edit', { version: draft.version, subject, body }))}>
          Save and check
        </Button>
        <Button disabled={busy} onClick={() => void copy(subject ? `${subject}\n\n${body}` : body)}>
          Copy
        </Button>
        <Button variant="secondary" disabled={busy} onClick={() => act(decide(draft.id, 'reject', { version: draft.version }))}>
          Reject
        </Button>
      </ButtonRow>
      <Evidence draft={draft} />
    </Flex>
  );
}

function Evidence({ draft }: { draft: Draft }) {
  const facts = new Map(draft.facts.map((fact) => [fact.id, fact]));
  const told = shown(draft).filter((sentence) => sentence.evidence.length > 0 || !isSupported(sentence.verdict));
  return (
    <Flex direction="column" gap="extra-small">
      <Heading>Why it says so</Heading>
      <List variant="unordered">
        {told.map((sentence) => (
          <Flex key={sentence.text} direction="column">
            <Text>{sentence.text}</Text>
            {!isSupported(sentence.verdict) && <Tag variant="error">{sentence.reason ?? sentence.verdict}</Tag>}
            <Text variant="microcopy">{sentence.evidence.map((id) => describe(facts.get(id), id)).join(' · ')}</Text>
          </Flex>
        ))}
      </List>
    </Flex>
  );
}

const describe = (fact: Draft['facts'][number] | undefined, id: string): string =>
  fact ? `${fact.label}: ${fact.display}` : id;

const newKey = (): string => `card-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 10)}`;
