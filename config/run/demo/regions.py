"""Countries the customers write from: towns, and numbers that belong to nobody.

Where a regulator reserves numbers for films (US, GB, FR, DE) those are used; elsewhere blocks full of zeros. Nothing
is sent there: the demo talks to its own simulator.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Block:
    """Whole international numbers: `prefix`, then `width` digits from `first` on."""

    prefix: str
    width: int
    first: int = 0
    count: int = 0

    def numbers(self) -> range:
        return range(self.first, self.first + (self.count or 10**self.width))

    def number(self, place: int) -> str:
        return f"{self.prefix}{place:0{self.width}d}"


@dataclass(frozen=True, slots=True)
class Region:
    towns: tuple[str, ...]
    blocks: tuple[Block, ...]


def _region(towns: str, *blocks: Block) -> Region:
    return Region(tuple(towns.split(", ")), blocks)


REGIONS = {
    "AE": _region("Dubai, Abu Dhabi", Block("97150000", 4)),
    "AR": _region("Buenos Aires, Rosario", Block("549110000", 4)),
    "AT": _region("Wien, Graz", Block("43660000", 4)),
    "BE": _region("Bruxelles, Liège", Block("3247000", 4)),
    "BR": _region("São Paulo, Belo Horizonte", Block("551199000", 4), Block("553198000", 4)),
    "CH": _region("Zürich, Bern", Block("4179000", 4)),
    "CL": _region("Santiago, Valparaíso", Block("5690000", 4)),
    "CN": _region("上海, 成都", Block("861300000", 4)),
    "CO": _region("Bogotá, Medellín", Block("57300000", 4)),
    "DE": _region("Leipzig, Hamburg, Köln", Block("49176040690", 2)),
    "EG": _region("القاهرة, الإسكندرية", Block("20100000", 4)),
    "ES": _region("Madrid, Valencia, Sevilla", Block("34600000", 3)),
    "FR": _region("Lyon, Nantes, Lille", Block("3363998", 4)),
    "GB": _region("Leeds, Bristol, Glasgow", Block("447700900", 3)),
    "HK": _region("九龍, 沙田", Block("8529000", 4)),
    "ID": _region("Bandung, Jakarta, Surabaya", Block("628120000", 4)),
    "IL": _region("חיפה, תל אביב", Block("97250000", 4)),
    "IN": _region("पुणे, जयपुर, दिल्ली", Block("9190000", 5)),
    "IT": _region("Torino, Bologna", Block("39320000", 4)),
    "JO": _region("عمّان", Block("96279000", 4)),
    "JP": _region("東京, 大阪, 札幌", Block("81900000", 4)),
    "KE": _region("Nairobi, Kisumu", Block("254700000", 3)),
    "KR": _region("서울, 부산", Block("82100000", 4)),
    "MX": _region("Ciudad de México, Puebla, Mérida", Block("5255000", 5)),
    "NG": _region("Lagos, Abuja", Block("234800000", 4)),
    "PE": _region("Lima, Arequipa", Block("51900000", 3)),
    "PT": _region("Lisboa, Porto", Block("351910000", 3)),
    "SA": _region("الرياض, جدة", Block("96650000", 4)),
    "SG": _region("Singapore", Block("658000", 4)),
    "SN": _region("Dakar", Block("22177000", 4)),
    "TH": _region("กรุงเทพฯ, เชียงใหม่", Block("6680000", 4)),
    "TR": _region("İzmir, Ankara", Block("90500000", 4)),
    "TW": _region("台北, 高雄", Block("886900000", 3)),
    "TZ": _region("Arusha, Dodoma", Block("255700000", 3)),
    "UA": _region("Львів, Київ, Полтава", Block("38050000", 4)),
    "US": _region(
        "Portland, Austin, Chicago",
        *(Block(f"1{area}555", 4, first=100, count=100) for area in (202, 312, 415, 512, 646)),
    ),
    "VN": _region("Hà Nội, Đà Nẵng", Block("8490000", 4)),
}
