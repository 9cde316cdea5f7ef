"""Django with autocommit, atomic() and ATOMIC_REQUESTS. argv: connection string, status URL."""
import sys

import django
from django.conf import settings
from psycopg.conninfo import conninfo_to_dict
from served import served

given = conninfo_to_dict(sys.argv[1])
settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": given["dbname"],
            "USER": given["user"],
            "HOST": given["host"],
            "PORT": given["port"],
            "CONN_MAX_AGE": None,
            "ATOMIC_REQUESTS": True,
        }
    },
    ROOT_URLCONF=__name__,
    # Not the server's: Django assigns it with set_config() on each new connection.
    USE_TZ=True,
)
django.setup()

from django.db import connection, models, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import path


class Item(models.Model):
    name = models.TextField()

    class Meta:
        app_label = "shop"
        db_table = "items"


def show(request, id):
    return HttpResponse(Item.objects.get(id=id).name)


urlpatterns = [path("items/<int:id>", show)]

assert served("autocommit", lambda: Item.objects.get(id=6).name, hits=1, local_answers=0) == "six"


def atomic():
    with transaction.atomic():
        return [Item.objects.get(id=6).name, Item.objects.get(id=7).name]


assert served("atomic()", atomic, hits=2, local_answers=2) == ["six", "seven"]

client = Client()
assert served("ATOMIC_REQUESTS", lambda: client.get("/items/7").content, hits=1, local_answers=2) == b"seven"

with transaction.atomic():
    item = Item.objects.get(id=6)
    item.name = "sechs"
    item.save()
    assert Item.objects.get(id=6).name == "sechs"
    try:
        with transaction.atomic():
            Item.objects.create(id=6, name="twice")
    except django.db.IntegrityError:
        pass
    assert Item.objects.get(id=6).name == "sechs"
assert served("after a write", atomic, hits=2, local_answers=2) == ["sechs", "seven"]
connection.close()
assert served("a new connection", atomic, hits=2, local_answers=2) == ["sechs", "seven"]
print("ok")
