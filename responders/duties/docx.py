"""A Word document (Office Open XML, ECMA-376) of headings, paragraphs and two-column tables: what a report draft needs."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

_FIXED = (1980, 1, 1, 0, 0, 0)
_NS = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_TYPES = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/><Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/></Types>"""  # noqa: E501
_RELS = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>"""  # noqa: E501
_WORD_RELS = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"""  # noqa: E501
_FONT = '<w:rFonts w:ascii="Yu Mincho" w:hAnsi="Yu Mincho" w:eastAsia="游明朝" w:cs="Times New Roman"/>'
_STYLES = f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:styles xmlns:w="{_NS}"><w:docDefaults><w:rPrDefault><w:rPr>{_FONT}<w:sz w:val="21"/><w:lang w:val="ja-JP" w:eastAsia="ja-JP"/></w:rPr></w:rPrDefault></w:docDefaults><w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/></w:style><w:style w:type="paragraph" w:styleId="Title"><w:name w:val="Title"/><w:pPr><w:jc w:val="center"/><w:spacing w:after="240"/></w:pPr><w:rPr><w:b/><w:sz w:val="32"/></w:rPr></w:style></w:styles>"""  # noqa: E501


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what is asked, what stands there, whether it is still to be filled in."""

    title: str
    text: str
    blank: bool = False


def docx(title: str, lead: Sequence[str], rows: Sequence[Row]) -> bytes:
    """The file. The same content gives the same bytes."""
    body = [_paragraph(title, style="Title"), *(_paragraph(line) for line in lead), _table(rows)]
    page = '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1418" w:right="1134" w:bottom="1418" w:left="1134" w:header="720" w:footer="720" w:gutter="0"/></w:sectPr>'  # noqa: E501
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    document = f'{head}<w:document xmlns:w="{_NS}"><w:body>{"".join(body)}{page}</w:body></w:document>'
    parts = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": _RELS,
        "word/_rels/document.xml.rels": _WORD_RELS,
        "word/styles.xml": _STYLES,
        "word/document.xml": document,
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name, _FIXED), text.encode(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _table(rows: Sequence[Row]) -> str:
    border = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="808080"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    cells = "".join(
        f"<w:tr>{_cell(row.title, 3000)}{_cell(row.text, 6638, marked=row.blank)}</w:tr>" for row in rows
    )
    grid = '<w:tblGrid><w:gridCol w:w="3000"/><w:gridCol w:w="6638"/></w:tblGrid>'
    return f'<w:tbl><w:tblPr><w:tblW w:w="9638" w:type="dxa"/><w:tblBorders>{border}</w:tblBorders></w:tblPr>{grid}{cells}</w:tbl>'


def _cell(text: str, width: int, *, marked: bool = False) -> str:
    shade = '<w:shd w:val="clear" w:color="auto" w:fill="FFF2CC"/>' if marked else ""
    lines = "".join(_paragraph(line) for line in text.split("\n"))
    return f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{shade}</w:tcPr>{lines}</w:tc>'


def _paragraph(text: str, *, style: str = "") -> str:
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f'<w:p>{properties}<w:r><w:t xml:space="preserve">{escape(_clean(text))}</w:t></w:r></w:p>'


def _clean(text: str) -> str:
    """Without what XML 1.0 cannot hold."""
    return "".join(sign for sign in text if sign == "\t" or (sign >= " " and sign not in "\ufffe\uffff"))
