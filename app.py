"""`python app.py` serves; `app:app` is the WSGI application of a checkout."""

from crmplugin.cli import main


def __getattr__(name: str) -> object:
    if name != "app":
        raise AttributeError(name)
    from crmplugin.web.app import create_app

    return create_app()


if __name__ == "__main__":
    main()
