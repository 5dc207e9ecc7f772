"""Sentences that are true over the facts of `world`: most as a person types them, without citations."""

EN = """
You asked on 6 March whether the price includes calibration certificates.
It does: CAL-1 includes an ISO 17025 certificate per device.
Q-118 runs until 25 March.
Quote Q-118 is valid until Wednesday, 25 March 2026.
The total of Q-118 is €26,505.00.
The total comes to EUR 26,505.
Q-118 lists 12 FlowMeter 3000 at €1,875.50 each.
It lists twelve FlowMeter 3000 and ten CAL-1.
The price already contains a 5% discount.
The lead time for the FlowMeter 3000 is 6 to 8 weeks.
Lead time for the FlowMeter 3000: 6–8 weeks.
You also asked about the lead time for the FlowMeter 3000.
We sent you Q-118 on 2 March.
Your order O-7 was delivered on 27 February.
Order O-7 from 4 November 2025 came to €9,600.00.
You have ordered GK-12 four times, last on 4 December.
The last order was 97 days ago; the usual gap is 30 days.
Your last order of GK-12 was on 4 December 2025, about three months ago.
Lena Vogt looks after ticket T-2201.
The next update on T-2201 is due on 11 March at 16:00 GMT.
Lena Vogt will update you on 11 March at 16:00 GMT.
I'll confirm this by Friday 13 March.
Would Tuesday 17 March at 10:00 suit you for a call?
Would a 15-minute call on Tuesday 17 March at 10:00 suit you?
Your service contract ends on 31 May.
The service contract runs until 31 May 2026.
We agreed on 10 March that we ship two sample meters.
We will ship two sample meters by 20 March.
Our part: two sample meters by 20 March.
Most customers calibrate once a year.
The FlowMeter 3000 has a 10 bar rating and Modbus output.
Is there anything else you need before it goes to approval?
Does that answer your question?
Which of the two dates suits you better?
Could you tell me by 13 March whether the quantities are right?
Shall I change anything in Q-118?
Thank you for your patience.
Thanks for your message of 6 March.
Please let me know if anything is unclear.
You can reach me on +49 30 5550123.
The data sheet is at https://halden.example/docs.
Tidewater Utilities has four orders of GK-12 with us.
Jonas Brandt from Halden Controls GmbH is your contact.
Dana, two questions remain open.
Q-118: calibration certificates
Hello Dana,
Best regards, Jonas Brandt
The first delivery is the one from 27 February.
1. Quantities: 12 FlowMeter 3000.
- Certificates: one per device.
Does the 5 % discount in Q-118 meet your expectation?
Did the delivery of 27 February arrive complete?
May I order the same again for you?
What would help you decide?
Thanks for getting back to me on 6 March, Dana.
Yes, the price covers calibration: each device gets its own ISO 17025 certificate.
You have until 25 March to decide on Q-118.
At €1,875.50 per meter, the 12 meters in line 1 come to €22,506.00.
Since the last order 97 days have passed.
We have a free slot on Tuesday 17 March at 10:00.
If 25 March is too soon, please tell me.
Delivery takes six to eight weeks.
Two meters will be shipped by 20 March.
That leaves 14 days until 25 March.
I look forward to your answer.
""".strip().splitlines()

DE = """
Sie haben am 6. März gefragt, ob die Kalibrierzertifikate im Preis enthalten sind.
Ja: CAL-1 enthält ein ISO-17025-Zertifikat je Gerät.
Das Angebot Q-118 gilt bis 25. März.
Das Angebot Q-118 ist gültig bis Mittwoch, 25. März 2026.
Die Summe des Angebots beträgt 26.505,00 €.
Die Summe beträgt 26.505 Euro.
Q-118 enthält 12 FlowMeter 3000 zu je 1.875,50 €.
Darin stehen zwölf FlowMeter 3000.
Der Preis enthält bereits 5 % Rabatt.
Die Lieferzeit für den FlowMeter 3000 beträgt 6 bis 8 Wochen.
Lieferzeit FlowMeter 3000: 6–8 Wochen.
Das Angebot Q-118 haben wir am 2. März gesendet.
Ihr Auftrag O-7 wurde am 27. Februar geliefert.
Der Auftrag O-7 ist vom 4. November 2025.
GK-12 haben Sie viermal bestellt, zuletzt am 4. Dezember.
Die letzte Bestellung ist 97 Tage her, üblich sind 30 Tage.
Sie haben GK-12 4 Mal bestellt.
Um Ihr Ticket T-2201 kümmert sich Lena Vogt.
Den nächsten Stand zu T-2201 gibt Ihnen Lena Vogt am 11. März um 16:00 Uhr.
Ich bestätige Ihnen das bis Freitag, 13. März.
Passt Ihnen Dienstag, 17. März, 10:00 Uhr für ein Gespräch?
Passt Ihnen ein Telefonat von 15 Minuten am Dienstag, 17. März, um 10 Uhr?
Ihr Wartungsvertrag endet am 31. Mai.
Der Wartungsvertrag läuft bis 31. Mai 2026.
In unserem Gespräch am 10. März haben wir zwei Muster vereinbart.
Wir senden Ihnen zwei Muster bis Freitag, 20. März 2026.
Ihre Entscheidung steht für Donnerstag, 2. April, an.
Gibt es vor der Freigabe noch etwas zu klären?
Beantwortet das Ihre Frage?
Welcher der beiden Termine passt Ihnen besser?
Können Sie mir bis 13. März sagen, ob die Mengen stimmen?
Soll ich im Angebot Q-118 noch etwas ändern?
Vielen Dank für Ihre Geduld.
Vielen Dank für Ihre Nachricht vom 6. März.
Bitte sagen Sie mir, falls etwas unklar ist.
Die Brauerei Hofmann KG hat vier Bestellungen von GK-12 bei uns.
Jonas Brandt von der Halden Controls GmbH ist Ihr Ansprechpartner.
Zwei Fragen sind noch offen.
Q-118: Kalibrierzertifikate
Guten Tag Anna Schmitt,
Mit freundlichen Grüßen Jonas Brandt
Die Lieferung vom 27. Februar war die erste.
1. Menge: 12 FlowMeter 3000.
Ist die Lieferung vom 27. Februar vollständig angekommen?
Darf ich Ihnen dasselbe noch einmal zusammenstellen?
Was würde Ihnen bei der Entscheidung helfen?
Das Angebot umfasst zwölf Geräte.
Ja, jedes Gerät erhält sein eigenes ISO-17025-Zertifikat.
Die Lieferung dauert sechs bis acht Wochen.
Bis Freitag, 13. März, haben Sie meine Antwort.
Wir haben am Dienstag, 17. März, um 10:00 Uhr Zeit für Sie.
Seit der letzten Bestellung sind 97 Tage vergangen.
Die zwei Muster gehen bis Freitag, 20. März 2026, an Sie.
Ihr Vertrag endet am 31. Mai; möchten Sie ihn verlängern?
Der Einzelpreis liegt bei 1.875,50 €.
""".strip().splitlines()
