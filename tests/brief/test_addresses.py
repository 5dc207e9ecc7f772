"""When two addresses are one person, and when one is nobody."""

import pytest

from crmplugin.brief.addresses import is_role_mailbox, is_silent_mailbox, normalise_email, normalise_phone


@pytest.mark.parametrize(
    "spelling",
    [
        "Maria.Lindqvist@NORDTEK.example",
        "  maria.lindqvist@nordtek.example ",
        "maria.lindqvist+news@nordtek.example",
        "Maria Lindqvist <maria.lindqvist@nordtek.example>",
        "mailto:maria.lindqvist@nordtek.example",
        "maria.lindqvist@nordtek.example.",
        "ｍaria.lindqvist@nordtek.example",
    ],
)
def test_spellings_of_one_mailbox_are_one_address(spelling):
    assert normalise_email(spelling) == "maria.lindqvist@nordtek.example"


def test_points_in_the_local_part_count():
    assert normalise_email("marialindqvist@nordtek.example") != normalise_email("maria.lindqvist@nordtek.example")


def test_a_domain_with_umlauts_is_its_ascii_form():
    assert normalise_email("info@müller.example") == normalise_email("info@xn--mller-kva.example")


@pytest.mark.parametrize(
    "text", [None, "", "-", "maria", "maria@", "@nordtek.example", "maria@localhost", "a b@x.example", "a@@x.example",
             "a@x..example", "a@1.2.3.4", ".a@x.example", "a..b@x.example", "a@-x.example"]
)  # fmt: skip
def test_what_is_no_address_is_none(text):
    assert normalise_email(text) is None


def test_a_tag_alone_is_kept():
    assert normalise_email("+sales@x.example") == "+sales@x.example"


@pytest.mark.parametrize(
    ("text", "country"),
    [("+44 20 7946 0018", None), ("020 7946 0018", "GB"), ("0044 20 7946 0018", None), ("(020) 7946-0018", "uk"),
     ("tel:+442079460018", "DE"), ("+44 (0)20 7946 0018", "DE")],
)  # fmt: skip
def test_spellings_of_one_number_are_one_number(text, country):
    assert normalise_phone(text, country) == "+442079460018"


@pytest.mark.parametrize("text", [None, "", "n/a", "12", "call me", "+999999999999999999"])
def test_what_is_no_number_is_none(text):
    assert normalise_phone(text, "DE") is None


def test_a_national_number_without_a_country_is_unknown():
    assert normalise_phone("020 7946 0018", None) is None


@pytest.mark.parametrize(
    "email", ["info@x.example", "Sales@x.example", "einkauf@x.example", "sales-emea@x.example", "info.de@x.example",
              "compras2@x.example", "customer-service@x.example", "biuro@x.example", "achats+q118@x.example"]
)  # fmt: skip
def test_a_desk_is_no_person(email):
    assert is_role_mailbox(email)


@pytest.mark.parametrize("email", ["dana.reyes@x.example", "d.office@x.example", "salesman@x.example", None, "info"])
def test_a_person_is_no_desk(email):
    assert not is_role_mailbox(email)


@pytest.mark.parametrize("email", ["noreply@x.example", "no-reply@x.example", "do_not_reply@x.example",
                                   "mailer-daemon@x.example", "shop.no-reply@x.example"])  # fmt: skip
def test_a_mailbox_nobody_reads_is_known(email):
    assert is_silent_mailbox(email)


def test_a_person_reads_their_mail():
    assert not is_silent_mailbox("nora.reply@x.example")
